using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Kernels;
using Signpost.Engine.Search;

namespace Signpost.Engine.Build;

/// <summary>One thread's scratch of the NSG passes, and what they do with one vertex.</summary>
/// <param name="space">Space of the build.</param>
/// <param name="r">Most out-neighbours of a vertex.</param>
internal sealed unsafe class NsgScratch(BuildSpace space, int r) : IDisposable
{
    private readonly SearchScratch _search = new();
    private readonly EvaluatedLog _candidates = new(); // keys of the candidates of one vertex
    private readonly Prune _prune = new(space, r);
    private readonly uint[] _ids = new uint[r];
    private readonly ulong[] _row = new ulong[r];

    /// <summary>Prunes the neighbours that the k-NN graph knows.</summary>
    public ReadOnlySpan<uint> PruneKnn<TPair>(KnnGraph knn, int vertex)
        where TPair : struct, IPairDistance
    {
        _candidates.Clear();
        _search.Visited.Begin((uint)space.Count);
        AddKnn(knn, vertex);
        return Pruned<TPair>(_candidates.Keys); // a row of the k-NN graph is ascending
    }

    /// <summary>
    /// Prunes the nearest <paramref name="c"/> of all that a search of <paramref name="graph"/> for the vertex evaluates and of the
    /// neighbours that the k-NN graph knows.
    /// </summary>
    public ReadOnlySpan<uint> SelectEdges<TPair>(Graph graph, KnnGraph knn, int vertex, int l, int c)
        where TPair : struct, IPairDistance
    {
        Evaluate<TPair>(graph, vertex, l);
        AddKnn(knn, vertex);
        return Pruned<TPair>(Nearest(vertex, c));
    }

    /// <summary>The out-neighbours of a vertex in <paramref name="graph"/> and the reverse edges together, pruned where they are more than R.</summary>
    public ReadOnlySpan<uint> Merge<TPair>(Graph graph, KnnGraph reverse, int vertex)
        where TPair : struct, IPairDistance
    {
        _candidates.Clear();
        ReadOnlySpan<ulong> row = Row<TPair>(graph, vertex);
        row.CopyTo(_candidates.Append(row.Length));
        ulong* back = reverse.Row(vertex);
        for (int i = 0; i < reverse.K && back[i] != KnnGraph.Empty; i++)
        {
            if (!_ids.AsSpan(0, row.Length).Contains((uint)back[i] >> 1))
            {
                _candidates.Append(1)[0] = back[i];
            }
        }

        Span<ulong> keys = _candidates.Keys;
        keys.Sort();
        return keys.Length > r ? Pruned<TPair>(keys) : IdsOf(keys);
    }

    /// <summary>The keys of a row of <paramref name="graph"/>.</summary>
    public ReadOnlySpan<ulong> Row<TPair>(Graph graph, int vertex)
        where TPair : struct, IPairDistance
    {
        int degree = graph.Neighbours((uint)vertex, _ids);
        _search.Prepare(1, r);
        _ids.AsSpan(0, degree).CopyTo(new Span<uint>(_search.Ids, degree));
        new VertexDistance<TPair>(space, vertex).To(_search.Ids, degree, _search.Distances);
        for (int i = 0; i < degree; i++)
        {
            _row[i] = CandidateList.KeyOf(_search.Distances[i], _ids[i]);
        }

        return _row.AsSpan(0, degree);
    }

    /// <summary>Makes all that a search for <paramref name="vertex"/> evaluates the candidates.</summary>
    public void Evaluate<TPair>(Graph graph, int vertex, int l)
        where TPair : struct, IPairDistance
    {
        _candidates.Clear();
        CandidateList pool = _search.Prepare(l, graph.R);
        SearchStats stats = default;
        var distance = new Recording<VertexDistance<TPair>>(new VertexDistance<TPair>(space, vertex), _candidates);
        BeamSearch<Recording<VertexDistance<TPair>>, GreedyRoute>.Walk(graph, ref pool, distance, default, _search, Deadline.None, ref stats);
    }

    /// <summary>The nearest <paramref name="count"/> candidates, ascending, without the vertex itself.</summary>
    public ReadOnlySpan<ulong> Nearest(int vertex, int count)
    {
        Span<ulong> keys = _candidates.Keys;
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
            QuickSelect.MoveSmallestToFront(keys, count);
            keys = keys[..count];
        }

        keys.Sort();
        return keys;
    }

    public void Dispose()
    {
        _search.Dispose();
        _prune.Dispose();
    }

    /// <summary>Adds the neighbours that the k-NN graph knows and that are no candidates yet.</summary>
    private void AddKnn(KnnGraph knn, int vertex)
    {
        VisitedSet.Marks seen = _search.Visited.Current;
        ulong* row = knn.Row(vertex);
        for (int i = 0; i < knn.K && row[i] != KnnGraph.Empty; i++)
        {
            if (seen.Add((uint)row[i] >> 1))
            {
                _candidates.Append(1)[0] = KnnGraph.AsNew(row[i]);
            }
        }
    }

    private ReadOnlySpan<uint> Pruned<TPair>(ReadOnlySpan<ulong> ascending)
        where TPair : struct, IPairDistance => _prune.Ids.AsSpan(0, _prune.Rng<TPair>(ascending));

    private ReadOnlySpan<uint> IdsOf(ReadOnlySpan<ulong> keys)
    {
        for (int i = 0; i < keys.Length; i++)
        {
            _ids[i] = (uint)keys[i] >> 1;
        }

        return _ids.AsSpan(0, keys.Length);
    }
}
