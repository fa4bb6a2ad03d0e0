using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Training;

/// <summary>The nearest vectors of a shard to each of its queries, the query itself left out.</summary>
internal static class TrueNeighbours
{
    /// <summary>Up to so many vectors each is looked at: for 8,192 queries of 128 dimensions some seconds.</summary>
    public const int ExhaustiveUpTo = 100_000;

    /// <summary>Pool of the search beyond: on a graph of a million it misses a few neighbours in a thousand.</summary>
    public const int WidePool = 256;

    private const int ChunkQueries = 16;

    /// <summary>The <paramref name="k"/> nearest of each query, or as many as there are, ascending by (distance, vertex).</summary>
    public static uint[][] Of(in SegmentView segment, QuerySet queries, int k, Work work)
    {
        if (k == 0)
        {
            return [.. Enumerable.Repeat(Array.Empty<uint>(), queries.Count)];
        }

        return segment.Vectors.Count <= ExhaustiveUpTo ? LookAtAll(segment, queries, k, work) : Search(segment, queries, k, work);
    }

    /// <summary>By looking at every vector. Shape of a row: k, or fewer where there are fewer vectors.</summary>
    public static Neighbour[][] Exhaustive(in SegmentView segment, VectorBlock queries, ReadOnlySpan<uint> own, int k, Work work)
    {
        int asked = (int)Math.Min(k + 1L, segment.Vectors.Count); // one more: the query itself may be among them
        var found = new Neighbour[queries.Count * asked];
        if (found.Length > 0)
        {
            ExactSearch.TopK(segment.Vectors, queries, segment.Metric, asked, work, found);
        }

        var rows = new Neighbour[queries.Count][];
        for (int q = 0; q < rows.Length; q++)
        {
            uint self = own[q];
            rows[q] = [.. found.Skip(q * asked).Take(asked).Where(n => n.Id != self && n.Id != uint.MaxValue).Take(k)];
        }

        return rows;
    }

    private static uint[][] LookAtAll(in SegmentView segment, QuerySet queries, int k, Work work) =>
        [.. Exhaustive(segment, queries.Vectors, queries.Own, k, work).Select(row => row.Select(n => n.Id).ToArray())];

    /// <summary>By a search of the graph on exact distances.</summary>
    internal static uint[][] Search(SegmentView segment, QuerySet queries, int k, Work work)
    {
        using var walkers = new PerWorker<ShardWalker>(work.Threads, () => new ShardWalker(segment));
        var rows = new uint[queries.Count][];
        work.For("find true neighbours", rows.Length, ChunkQueries, (from, to, worker) =>
        {
            ShardWalker walker = walkers[worker];
            for (int q = (int)from; q < to; q++)
            {
                walker.Bind(queries, q);
                rows[q] = Best(walker.Walk(SearchMode.Exact, Math.Max(WidePool, 2 * k)), k, walker.Own);
            }
        });
        return rows;
    }

    /// <summary>The first vertices of a pool without <paramref name="own"/>.</summary>
    public static uint[] Best(in CandidateList pool, int most, uint own)
    {
        var best = new List<uint>(most);
        for (int i = 0; i < pool.Count && best.Count < most; i++)
        {
            if (pool.Id(i) != own)
            {
                best.Add(pool.Id(i));
            }
        }

        return [.. best];
    }
}
