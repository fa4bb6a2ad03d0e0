using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Kernels;
using Signpost.Engine.Search;

namespace Signpost.Engine.Training;

/// <summary>
/// One thread's walks over one shard. A query that is a vector of the shard walks the graph without its own vertex, as a new vector
/// would.
/// </summary>
internal sealed unsafe class ShardWalker(SegmentView segment) : IDisposable
{
    private readonly SearchScratch _scratch = new();
    private readonly Query _query = new(segment.Vectors.Dim, segment.Vectors.Type, segment.Metric);

    /// <summary>What is walked on.</summary>
    public SegmentView Segment => segment;

    /// <summary>What the last walk evaluated.</summary>
    public EvaluatedLog Log { get; } = new();

    /// <summary>The vertex that the bound query is; <see cref="QuerySet.Outside"/> where it is none of the shard.</summary>
    public uint Own { get; private set; }

    /// <summary>Binds query <paramref name="index"/> of <paramref name="queries"/>.</summary>
    public void Bind(QuerySet queries, int index) => Bind(queries, index, queries.Own[index]);

    /// <summary>Binds it as a query of another shard.</summary>
    public void BindOutside(QuerySet queries, int index) => Bind(queries, index, QuerySet.Outside);

    /// <summary>
    /// Walks with a pool of <paramref name="l"/>, or as many as there are vertices. The answer, in which <see cref="Own"/> stands where the
    /// walk began with it, is valid until the next walk.
    /// </summary>
    public CandidateList Walk(SearchMode mode, int l)
    {
        Log.Clear();
        Graph graph = segment.Graph;
        CandidateList pool = _scratch.Prepare((int)Math.Min((uint)l, Math.Max(1, graph.Count)), graph.R);
        if (graph.Count == 0)
        {
            return pool;
        }

        var walk = new HidingWalk(graph, pool, _scratch, Own, Log);
        pool = mode == SearchMode.Exact
            ? SegmentDistances.Exact<CandidateList, HidingWalk>(segment, _query, walk)
            : SegmentDistances.Codes<CandidateList, HidingWalk>(segment, _query, walk);
        GC.KeepAlive(segment.Vectors);
        GC.KeepAlive(graph);
        return pool;
    }

    /// <summary>Exact distances of the bound query.</summary>
    public void Measure(ReadOnlySpan<uint> ids, Span<float> distances)
    {
        Check.That(distances.Length >= ids.Length);
        fixed (uint* from = ids)
        fixed (float* to = distances)
        {
            SegmentDistances.Exact<bool, Measurement>(segment, _query, new Measurement(from, ids.Length, to));
        }

        GC.KeepAlive(segment.Vectors);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _scratch.Dispose();
        _query.Dispose();
    }

    private void Bind(QuerySet queries, int index, uint own)
    {
        _query.SetRow(queries.Vectors.RowSpan(index));
        Own = own;
    }

    private readonly struct HidingWalk(Graph graph, CandidateList pool, SearchScratch scratch, uint own, EvaluatedLog log)
        : IDistanceUser<CandidateList>
    {
        public CandidateList Use<TDistance>(TDistance distance)
            where TDistance : struct, IDistance
        {
            CandidateList found = pool;
            SearchStats stats = default;
            BeamSearch<Recording<TDistance>, HidingRoute>.Walk(
                graph, ref found, new Recording<TDistance>(distance, log), new HidingRoute(own), scratch, Deadline.None, ref stats);
            return found;
        }
    }

    private readonly struct Measurement(uint* ids, int count, float* distances) : IDistanceUser<bool>
    {
        public bool Use<TDistance>(TDistance distance)
            where TDistance : struct, IDistance
        {
            distance.To(ids, count, distances);
            return true;
        }
    }
}
