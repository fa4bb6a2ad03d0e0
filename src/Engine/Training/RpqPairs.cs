using Signpost.Engine.Base;

namespace Signpost.Engine.Training;

/// <summary>
/// The (anchor, vertex) pairs of a batch whose code distance a loss looks at: two of each triplet (positive, negative), then one of
/// each candidate. Also, for each vertex, which pairs it is in, so that the softmax of a vertex is differentiated once.
/// </summary>
internal sealed class RpqPairs
{
    private int[] _ofVertex = [];

    /// <summary>Pairs.</summary>
    public int Count { get; private set; }

    /// <summary>Anchor of each pair.</summary>
    public int[] Anchors { get; private set; } = [];

    /// <summary>Vertex of each pair.</summary>
    public int[] Vertices { get; private set; } = [];

    /// <summary>Code distance of each pair, dhat.</summary>
    public float[] Distances { get; private set; } = [];

    /// <summary>Derivative of the loss by the code distance of each pair.</summary>
    public float[] Alphas { get; private set; } = [];

    /// <summary>The pairs of vertex v are at [Starts[v], Starts[v + 1]) of <see cref="OfVertex(int)"/>.</summary>
    public int[] Starts { get; private set; } = [];

    /// <summary>First pair that belongs to a record; candidate i is pair FirstCandidate + i.</summary>
    public int FirstCandidate { get; private set; }

    /// <summary>The pairs of a vertex, ascending.</summary>
    public ReadOnlySpan<int> OfVertex(int vertex) => _ofVertex.AsSpan(Starts[vertex]..Starts[vertex + 1]);

    /// <summary>Lists the pairs of a batch; distances and alphas are 0.</summary>
    public void Reset(RpqBatch batch)
    {
        FirstCandidate = 2 * batch.Triplets.Length;
        Count = FirstCandidate + batch.Records.Candidates.Length;
        Grow(batch.Vertices.Count);
        for (int i = 0; i < batch.Triplets.Length; i++)
        {
            (int anchor, int positive, int negative) = batch.Triplets[i];
            (Anchors[2 * i], Vertices[2 * i]) = (anchor, positive);
            (Anchors[2 * i + 1], Vertices[2 * i + 1]) = (anchor, negative);
        }

        RpqRecords records = batch.Records;
        for (int i = 0; i < records.Count; i++)
        {
            Anchors.AsSpan(FirstCandidate)[records.Starts[i]..records.Starts[i + 1]].Fill(records.Anchors[i]);
        }

        records.Candidates.CopyTo(Vertices.AsSpan(FirstCandidate));
        Array.Clear(Distances);
        Array.Clear(Alphas);
        SortByVertex(batch.Vertices.Count);
    }

    private void Grow(int vertices)
    {
        if (Anchors.Length < Count)
        {
            int room = Count + Count / 4;
            (Anchors, Vertices, _ofVertex) = (new int[room], new int[room], new int[room]);
            (Distances, Alphas) = (new float[room], new float[room]);
        }

        if (Starts.Length < vertices + 1)
        {
            Starts = new int[vertices + 1 + vertices / 4];
        }
    }

    // Counting sort: stable, so the pairs of a vertex stay in their order.
    private void SortByVertex(int vertices)
    {
        Array.Clear(Starts);
        for (int pair = 0; pair < Count; pair++)
        {
            Starts[Vertices[pair] + 1]++;
        }

        for (int v = 0; v < vertices; v++)
        {
            Starts[v + 1] += Starts[v];
        }

        for (int pair = 0; pair < Count; pair++)
        {
            _ofVertex[Starts[Vertices[pair]]++] = pair;
        }

        for (int v = vertices; v > 0; v--)
        {
            Starts[v] = Starts[v - 1]; // each start has become the next one's
        }

        Starts[0] = 0;
        Check.That(Starts[vertices] == Count);
    }
}
