using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Kernels;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Search;

/// <summary>Searches one segment: picks the closed types of the walk for what the segment holds and what is asked.</summary>
public static unsafe class Searcher
{
    /// <summary>Why <paramref name="parameters"/> cannot be used on <paramref name="segment"/>; null when they can.</summary>
    public static Problem? Validate(in SegmentView segment, in SearchParameters parameters) =>
        Validate(segment.Codes != null && segment.Coder is not null, parameters);

    /// <summary>Why <paramref name="parameters"/> cannot be used on segments with or without codes; null when they can.</summary>
    public static Problem? Validate(bool hasCodes, in SearchParameters parameters)
    {
        if (parameters.K < 1)
        {
            return new Problem(ProblemCode.InvalidArgument, "k", $"{parameters.K}", "at least 1", "Ask for one answer or more.");
        }

        if (parameters.L < parameters.K)
        {
            return new Problem(ProblemCode.InvalidArgument, "l", $"{parameters.L}", $"at least k = {parameters.K}", "Raise l.");
        }

        if (parameters.Rerank != 0 && (parameters.Rerank < parameters.K || parameters.Rerank > parameters.L))
        {
            return new Problem(ProblemCode.InvalidArgument, "rerank", $"{parameters.Rerank}", $"0 or {parameters.K} .. {parameters.L}", "Choose a depth between k and l.");
        }

        if (parameters.Mode != SearchMode.Exact && !hasCodes)
        {
            return new Problem(
                ProblemCode.NotSupported, "mode", $"{parameters.Mode}", "exact", "The collection has no codes: give it some with signpost train, or build it with --quantizer pq or opq.");
        }

        return null;
    }

    /// <summary>The nearest vertices to <paramref name="query"/>, ascending by (distance, id).</summary>
    /// <param name="segment">What is searched; stays alive during the call.</param>
    /// <param name="query">Bound to a vector of the same dimension, type and metric.</param>
    /// <param name="parameters">As <see cref="Validate"/> accepts them.</param>
    /// <param name="deadline">Ends the walk early with the best so far.</param>
    /// <param name="scratch">Used by this call alone.</param>
    /// <param name="results">At least K long.</param>
    /// <param name="stats">What the search did.</param>
    /// <returns>How many results there are: K, or fewer where fewer vertices can be reached within L.</returns>
    public static int Search(
        in SegmentView segment, Query query, in SearchParameters parameters, Deadline deadline, SearchScratch scratch, Span<Neighbour> results, out SearchStats stats)
    {
        stats = default;
        if (segment.Graph.Count == 0)
        {
            return 0;
        }

        // No more can be found than there is: a larger pool would give the same answer and only take memory.
        CandidateList pool = scratch.Prepare((int)Math.Min((uint)parameters.L, segment.Graph.Count), segment.Graph.R);
        (pool, stats) = parameters.Mode == SearchMode.Exact
            ? PairDistances.Select<(CandidateList, SearchStats), ExactWalk>(
                segment.Metric, segment.Vectors.Type, new ExactWalk(segment, query, pool, scratch, deadline))
            : WalkCodes(segment, query, pool, scratch, deadline);
        if (parameters.Mode == SearchMode.CodesRerank)
        {
            int depth = Math.Min(parameters.Rerank == 0 ? parameters.L : parameters.Rerank, pool.Count);
            pool = PairDistances.Select<CandidateList, Rerank>(
                segment.Metric, segment.Vectors.Type, new Rerank(segment, query, pool, depth, Math.Min(parameters.K, depth), scratch));
            stats.Reranked = depth;
        }

        int found = Math.Min(parameters.K, pool.Count);
        for (int i = 0; i < found; i++)
        {
            results[i] = new Neighbour(pool.Id(i), pool.Distance(i));
        }

        // The walk holds plain pointers: what owns the memory must not be collected under it.
        GC.KeepAlive(segment.Vectors);
        GC.KeepAlive(segment.Graph);
        GC.KeepAlive(query);
        GC.KeepAlive(scratch);
        return found;
    }

    private static (CandidateList Pool, SearchStats Stats) WalkCodes(
        in SegmentView segment, Query query, CandidateList pool, SearchScratch scratch, Deadline deadline)
    {
        ITableCoder coder = segment.Coder!;
        float* table = query.Table(coder);
        return (coder.K, coder.HasFactors) switch
        {
            (256, false) => Walk(segment.Graph, new CodeDistance<Adc256>(segment.Codes, coder, table), pool, scratch, deadline),
            (16, false) => Walk(segment.Graph, new CodeDistance<Adc16>(segment.Codes, coder, table), pool, scratch, deadline),
            (16, true) => Walk(segment.Graph, new FactoredDistance<Adc16>(segment.Codes, coder, table), pool, scratch, deadline),
            _ => throw new CheckFailedException($"codes of K = {coder.K}{(coder.HasFactors ? " with factors" : "")}"),
        };
    }

    private static (CandidateList Pool, SearchStats Stats) Walk<TDistance>(
        Graph graph, TDistance distance, CandidateList pool, SearchScratch scratch, Deadline deadline)
        where TDistance : struct, IDistance
    {
        SearchStats stats = default;
        BeamSearch<TDistance, GreedyRoute>.Walk(graph, ref pool, distance, default, scratch, deadline, ref stats);
        return (pool, stats);
    }

    private readonly struct ExactWalk(SegmentView segment, Query query, CandidateList pool, SearchScratch scratch, Deadline deadline)
        : IPairDistanceUser<(CandidateList, SearchStats)>
    {
        public (CandidateList, SearchStats) Use<TPair>()
            where TPair : struct, IPairDistance =>
            Walk(segment.Graph, new ExactDistance<TPair>(segment.Vectors, query.Row), pool, scratch, deadline);
    }

    private readonly struct Rerank(SegmentView segment, Query query, CandidateList pool, int depth, int k, SearchScratch scratch)
        : IPairDistanceUser<CandidateList>
    {
        /// <summary>The best k of the pool's first vertices by exact distance, in the pool's own memory.</summary>
        public CandidateList Use<TPair>()
            where TPair : struct, IPairDistance
        {
            uint* ids = scratch.Ids;
            for (int i = 0; i < depth; i++)
            {
                ids[i] = pool.Id(i);
            }

            new ExactDistance<TPair>(segment.Vectors, query.Row).To(ids, depth, scratch.Distances);
            CandidateList best = pool.Restart(k);
            for (int i = 0; i < depth; i++)
            {
                best.Offer(CandidateList.KeyOf(scratch.Distances[i], ids[i]));
            }

            return best;
        }
    }
}
