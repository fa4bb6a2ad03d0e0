using Signpost.Engine.Base;
using Signpost.Engine.Graphs;

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
    /// <param name="only">
    /// Vertices that count; null: all. The walk is the same: its pool of L is of the whole segment, and the answer is of those in the pool that
    /// count, also where they are not among its first K.
    /// </param>
    /// <returns>How many results there are: K, or fewer where fewer vertices can be reached within L.</returns>
    public static int Search(
        in SegmentView segment, Query query, in SearchParameters parameters, Deadline deadline, SearchScratch scratch, Span<Neighbour> results, out SearchStats stats,
        Predicate<uint>? only = null)
    {
        stats = default;
        if (segment.Graph.Count == 0)
        {
            return 0;
        }

        // No more can be found than there is: a larger pool would give the same answer and only take memory.
        CandidateList pool = scratch.Prepare((int)Math.Min((uint)parameters.L, segment.Graph.Count), segment.Graph.R);
        var walk = new Walk(segment.Graph, pool, scratch, deadline);
        (pool, stats) = parameters.Mode == SearchMode.Exact
            ? SegmentDistances.Exact<(CandidateList, SearchStats), Walk>(segment, query, walk)
            : SegmentDistances.Codes<(CandidateList, SearchStats), Walk>(segment, query, walk);
        int found = 0;
        if (parameters.Mode == SearchMode.CodesRerank)
        {
            int depth = Gather(pool, parameters.Rerank == 0 ? parameters.L : parameters.Rerank, only, scratch.Ids);
            pool = depth == 0
                ? pool.Restart(1)
                : SegmentDistances.Exact<CandidateList, Rerank>(segment, query, new Rerank(pool, depth, Math.Min(parameters.K, depth), scratch));
            stats.Reranked = depth;
            only = null;
        }

        for (int i = 0; i < pool.Count && found < parameters.K; i++)
        {
            if (only is null || only(pool.Id(i)))
            {
                results[found++] = new Neighbour(pool.Id(i), pool.Distance(i));
            }
        }

        // The walk holds plain pointers: what owns the memory must not be collected under it.
        GC.KeepAlive(segment.Vectors);
        GC.KeepAlive(segment.Graph);
        GC.KeepAlive(query);
        GC.KeepAlive(scratch);
        return found;
    }

    /// <summary>The first vertices of a pool that count, at most <paramref name="most"/>.</summary>
    private static int Gather(in CandidateList pool, int most, Predicate<uint>? only, uint* ids)
    {
        int count = 0;
        for (int i = 0; i < pool.Count && count < most; i++)
        {
            uint id = pool.Id(i);
            ids[count] = id;
            count += only is null || only(id) ? 1 : 0;
        }

        return count;
    }

    private readonly struct Walk(Graph graph, CandidateList pool, SearchScratch scratch, Deadline deadline)
        : IDistanceUser<(CandidateList Pool, SearchStats Stats)>
    {
        public (CandidateList Pool, SearchStats Stats) Use<TDistance>(TDistance distance)
            where TDistance : struct, IDistance
        {
            CandidateList found = pool;
            SearchStats stats = default;
            BeamSearch<TDistance, GreedyRoute>.Walk(graph, ref found, distance, default, scratch, deadline, ref stats);
            return (found, stats);
        }
    }

    private readonly struct Rerank(CandidateList pool, int depth, int k, SearchScratch scratch) : IDistanceUser<CandidateList>
    {
        /// <summary>The best k of the gathered vertices by exact distance, in the pool's own memory.</summary>
        public CandidateList Use<TDistance>(TDistance distance)
            where TDistance : struct, IDistance
        {
            uint* ids = scratch.Ids;
            distance.To(ids, depth, scratch.Distances);
            CandidateList best = pool.Restart(k);
            for (int i = 0; i < depth; i++)
            {
                best.Offer(CandidateList.KeyOf(scratch.Distances[i], ids[i]));
            }

            return best;
        }
    }
}
