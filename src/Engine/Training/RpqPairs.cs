using Signpost.Engine.Base;

namespace Signpost.Engine.Training;

/// <summary>
/// The different (anchor, vertex) pairs of a batch whose code distance a loss looks at, by vertex. Hops of one walk have most of their
/// candidates in common, so many records name the same pair: its distance is made once, and its derivative is the sum of theirs.
/// </summary>
internal sealed class RpqPairs
{
    // A name is one mention of a pair: the positive and the negative of each triplet, then each candidate.
    private int _firstCandidate;
    private int _names;
    private int[] _anchorOf = [];
    private int[] _vertexOf = [];
    private int[] _pairOf = [];
    private int[] _byVertex = []; // names
    private int[] _ends = []; // of each vertex among them
    private int[] _latest = []; // pair of each anchor

    /// <summary>Pairs.</summary>
    public int Count { get; private set; }

    /// <summary>Anchor of each pair.</summary>
    public int[] Anchors { get; private set; } = [];

    /// <summary>Vertex of each pair, ascending.</summary>
    public int[] Vertices { get; private set; } = [];

    /// <summary>Code distance of each pair, dhat.</summary>
    public float[] Distances { get; private set; } = [];

    /// <summary>Derivative of the loss by the code distance of each pair.</summary>
    public float[] Alphas { get; private set; } = [];

    /// <summary>The pairs of vertex v are [Starts[v], Starts[v + 1]).</summary>
    public int[] Starts { get; private set; } = [];

    /// <summary>Pair of each candidate of the records.</summary>
    public ReadOnlySpan<int> OfCandidates => _pairOf.AsSpan(_firstCandidate.._names);

    /// <summary>Pairs of the vertices of a triplet.</summary>
    public (int Positive, int Negative) OfTriplet(int triplet) => (_pairOf[2 * triplet], _pairOf[2 * triplet + 1]);

    /// <summary>Lists the pairs of a batch; distances and alphas are 0.</summary>
    public void Reset(RpqBatch batch)
    {
        _firstCandidate = 2 * batch.Triplets.Length;
        _names = _firstCandidate + batch.Records.Candidates.Length;
        Grow(batch.Anchors.Count, batch.Vertices.Count);
        ListNames(batch);
        SortByVertex(batch.Vertices.Count);
        Merge(batch.Vertices.Count);
        Array.Clear(Distances);
        Array.Clear(Alphas);
    }

    private void Grow(int anchors, int vertices)
    {
        if (_pairOf.Length < _names)
        {
            int room = _names + _names / 4;
            (_anchorOf, _vertexOf, _pairOf, _byVertex) = (new int[room], new int[room], new int[room], new int[room]);
            (Anchors, Vertices, Distances, Alphas) = (new int[room], new int[room], new float[room], new float[room]);
        }

        if (Starts.Length < vertices + 1)
        {
            int room = vertices + 1 + vertices / 4;
            (Starts, _ends) = (new int[room], new int[room]);
        }

        if (_latest.Length < anchors)
        {
            _latest = new int[anchors];
        }
    }

    private void ListNames(RpqBatch batch)
    {
        for (int i = 0; i < batch.Triplets.Length; i++)
        {
            (int anchor, int positive, int negative) = batch.Triplets[i];
            (_anchorOf[2 * i], _vertexOf[2 * i]) = (anchor, positive);
            (_anchorOf[2 * i + 1], _vertexOf[2 * i + 1]) = (anchor, negative);
        }

        RpqRecords records = batch.Records;
        for (int i = 0; i < records.Count; i++)
        {
            _anchorOf.AsSpan(_firstCandidate)[records.Starts[i]..records.Starts[i + 1]].Fill(records.Anchors[i]);
        }

        records.Candidates.CopyTo(_vertexOf.AsSpan(_firstCandidate));
    }

    // Counting sort: stable, so pairs are in the order in which they are first named.
    private void SortByVertex(int vertices)
    {
        Array.Clear(_ends);
        for (int name = 0; name < _names; name++)
        {
            _ends[_vertexOf[name] + 1]++; // of the vertex before, for now
        }

        for (int v = 0; v < vertices; v++)
        {
            _ends[v + 1] += _ends[v];
        }

        for (int name = 0; name < _names; name++)
        {
            _byVertex[_ends[_vertexOf[name]]++] = name;
        }
    }

    private void Merge(int vertices)
    {
        Array.Fill(_latest, -1);
        Count = 0;
        for (int v = 0, at = 0; v < vertices; v++)
        {
            for (Starts[v] = Count; at < _ends[v]; at++)
            {
                int name = _byVertex[at];
                ref int pair = ref _latest[_anchorOf[name]];
                if (pair < Starts[v])
                {
                    pair = Count++;
                    (Anchors[pair], Vertices[pair]) = (_anchorOf[name], v);
                }

                _pairOf[name] = pair;
            }
        }

        Starts[vertices] = Count;
        Check.That(vertices == 0 || _ends[vertices - 1] == _names);
    }
}
