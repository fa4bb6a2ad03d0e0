using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Kernels;
using Signpost.Engine.Search;

namespace Signpost.Engine.Build;

/// <summary>One thread's scratch of the NSG passes.</summary>
internal sealed unsafe class NsgScratch(BuildSpace space, GraphOptions options) : IDisposable
{
    private readonly SearchScratch _search = new();
    private readonly uint[] _ids = new uint[options.R];
    private readonly ulong[] _nearest = new ulong[1024];

    public Prune Prune { get; } = new(space, options.R);

    /// <summary>Keys of the candidates of one vertex.</summary>
    public EvaluatedLog Candidates { get; } = new();

    /// <summary>Fills <see cref="Candidates"/> with all that a search for <paramref name="vertex"/> evaluates.</summary>
    public void Evaluate<TPair>(Graph graph, int vertex, int l)
        where TPair : struct, IPairDistance
    {
        Candidates.Clear();
        CandidateList pool = _search.Prepare(l, graph.R);
        SearchStats stats = default;
        var distance = new Recording<VertexDistance<TPair>>(new VertexDistance<TPair>(space, vertex), Candidates);
        BeamSearch<Recording<VertexDistance<TPair>>, GreedyRoute>.Walk(graph, ref pool, distance, default, _search, Deadline.None, ref stats);
    }

    /// <summary>Adds the neighbours that the k-NN graph knows.</summary>
    public void AddKnn(KnnGraph knn, int vertex)
    {
        bool fresh = Candidates.Keys.Length == 0;
        VisitedSet.Marks seen = fresh ? _search.Visited.Begin((uint)space.Count) : _search.Visited.Current;
        ulong* row = knn.Row(vertex);
        for (int i = 0; i < knn.K && row[i] != KnnGraph.Empty; i++)
        {
            if (seen.Add((uint)row[i] >> 1))
            {
                Candidates.Append(1)[0] = KnnGraph.AsNew(row[i]);
            }
        }
    }

    /// <summary>The nearest <paramref name="count"/> candidates, ascending, without the vertex itself.</summary>
    public ReadOnlySpan<ulong> Nearest(int vertex, int count)
    {
        Span<ulong> keys = Candidates.Keys;
        int own = -1;
        for (int i = 0; i < keys.Length; i++)
        {
            own = (uint)keys[i] >> 1 == vertex ? i : own;
        }

        if (own >= 0)
        {
            keys[own] = keys[^1];
            keys = keys[..^1];
        }

        if (keys.Length > count)
        {
            SelectSmallest(keys, count);
            keys = keys[..count];
        }

        keys.Sort();
        return keys;
    }

    /// <summary>The keys of a row of <paramref name="graph"/>.</summary>
    public ReadOnlySpan<ulong> Row<TPair>(Graph graph, int vertex)
        where TPair : struct, IPairDistance
    {
        int degree = graph.Neighbours((uint)vertex, _ids);
        _search.Prepare(1, graph.R);
        _ids.AsSpan(0, degree).CopyTo(new Span<uint>(_search.Ids, degree));
        new VertexDistance<TPair>(space, vertex).To(_search.Ids, degree, _search.Distances);
        for (int i = 0; i < degree; i++)
        {
            _nearest[i] = CandidateList.KeyOf(_search.Distances[i], _ids[i]);
        }

        return _nearest.AsSpan(0, degree);
    }

    /// <summary>Out-neighbours and reverse edges of a vertex together.</summary>
    public ReadOnlySpan<uint> Merge<TPair>(Graph graph, KnnGraph reverse, int vertex)
        where TPair : struct, IPairDistance
    {
        Candidates.Clear();
        ReadOnlySpan<ulong> row = Row<TPair>(graph, vertex);
        row.CopyTo(Candidates.Append(row.Length));
        ulong* back = reverse.Row(vertex);
        for (int i = 0; i < reverse.K && back[i] != KnnGraph.Empty; i++)
        {
            if (!Contains(_ids.AsSpan(0, row.Length), (uint)back[i] >> 1))
            {
                Candidates.Append(1)[0] = back[i];
            }
        }

        Span<ulong> keys = Candidates.Keys;
        keys.Sort();
        if (keys.Length > options.R)
        {
            int count = Prune.Rng<TPair>(keys);
            return Prune.Ids.AsSpan(0, count);
        }

        for (int i = 0; i < keys.Length; i++)
        {
            _ids[i] = (uint)keys[i] >> 1;
        }

        return _ids.AsSpan(0, keys.Length);
    }

    public void Dispose()
    {
        _search.Dispose();
        Prune.Dispose();
    }

    private static bool Contains(ReadOnlySpan<uint> ids, uint id) => ids.Contains(id);

    /// <summary>Moves the <paramref name="count"/> smallest keys to the front (quickselect, median of three).</summary>
    private static void SelectSmallest(Span<ulong> keys, int count)
    {
        int low = 0;
        int high = keys.Length - 1;
        while (low < high)
        {
            ulong a = keys[low], b = keys[(low + high) >>> 1], c = keys[high];
            ulong pivot = Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));
            int i = low;
            int j = high;
            while (i <= j)
            {
                while (keys[i] < pivot)
                {
                    i++;
                }

                while (keys[j] > pivot)
                {
                    j--;
                }

                if (i <= j)
                {
                    (keys[i], keys[j]) = (keys[j], keys[i]);
                    i++;
                    j--;
                }
            }

            if (count <= j)
            {
                high = j;
            }
            else if (count >= i)
            {
                low = i;
            }
            else
            {
                return;
            }
        }
    }
}
