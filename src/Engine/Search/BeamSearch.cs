using System.Runtime.CompilerServices;
using Signpost.Engine.Base;
using Signpost.Engine.Graphs;

namespace Signpost.Engine.Search;

/// <summary>
/// Best-first search with a bounded candidate pool (GA; Fu, Wang, Cai, "High Dimensional Similarity Search with Satellite System
/// Graph", TPAMI 2021, section 2): the one search loop of Signpost, compiled for each pair of distance and route.
/// </summary>
/// <remarks>
/// Each hop is three passes: gather the neighbours not seen yet, ask for their memory, compute. It ends when every vertex of the
/// pool has been expanded, or by the deadline with the pool as it stands.
/// </remarks>
public static unsafe class BeamSearch<TDistance, TRoute>
    where TDistance : struct, IDistance
    where TRoute : struct, IRoute
{
    /// <summary>A clock read costs as much as half a distance: look at the deadline every so many hops.</summary>
    private const int HopsPerClockRead = 16;

    /// <summary>Walks <paramref name="graph"/> from its entry; the answer is left in <paramref name="pool"/>, ascending.</summary>
    /// <param name="graph">At least one vertex.</param>
    /// <param name="pool">Empty, of capacity L.</param>
    /// <param name="distance">Bound to the query.</param>
    /// <param name="route">Bound to the query.</param>
    /// <param name="scratch">Prepared for L and the graph's R.</param>
    /// <param name="deadline">Looked at every 16 hops.</param>
    /// <param name="stats">Hops and distance computations are added.</param>
    /// <remarks>Not inlined: compiled alone it is always the same code, whatever profile its callers gathered.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Walk(
        Graph graph, ref CandidateList pool, TDistance distance, TRoute route, SearchScratch scratch, Deadline deadline, ref SearchStats stats)
    {
        VisitedSet.Marks seen = scratch.Visited.Begin(graph.Count);
        uint* ids = scratch.Ids;
        float* distances = scratch.Distances;
        long hops = 0;

        uint vertex = graph.Entry;
        seen.Add(vertex);
        ids[0] = vertex;
        distance.To(ids, 1, distances);
        pool.Offer(CandidateList.KeyOf(distances[0], vertex));
        long computations = 1;

        while (pool.TryExpand(out vertex))
        {
            int count = GatherUnseen(graph, vertex, route, seen, ids);
            if (pool.TryPeek(out uint likely))
            {
                PrefetchRow(graph, likely); // the next hop, unless one of these neighbours is nearer
            }

            distance.To(ids, count, distances);
            for (int i = 0; i < count; i++)
            {
                pool.Offer(CandidateList.KeyOf(distances[i], ids[i]));
            }

            if (pool.TryPeek(out uint next) && next != likely)
            {
                PrefetchRow(graph, next);
            }

            hops++;
            computations += count;
            if (hops % HopsPerClockRead == 0 && deadline.Reached)
            {
                stats.DeadlineReached = true;
                break;
            }
        }

        stats.Hops += hops;
        stats.DistanceComputations += computations;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int GatherUnseen(Graph graph, uint vertex, TRoute route, VisitedSet.Marks seen, uint* ids)
    {
        int degree = graph.IdBytes == 3 ? Gather(graph.Row(vertex), graph.R, 3, 0xFF_FFFF, ids) : Gather(graph.Row(vertex), graph.R, 4, uint.MaxValue, ids);
        degree = route.Choose(vertex, ids, degree);
        int count = 0;
        for (int i = 0; i < degree; i++)
        {
            uint id = ids[i];
            ids[count] = id;
            count += seen.Add(id) ? 1 : 0;
        }

        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Gather(byte* row, int r, int idBytes, uint mask, uint* ids)
    {
        int degree = 0;
        for (; degree < r; degree++)
        {
            uint id = Unsafe.ReadUnaligned<uint>(row) & mask;
            if (id == mask)
            {
                break;
            }

            ids[degree] = id;
            row += idBytes;
        }

        return degree;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchRow(Graph graph, uint vertex)
    {
        byte* row = graph.Row(vertex);
        for (int offset = 0; offset < graph.RowBytes; offset += 64)
        {
            Memory.Prefetch(row + offset);
        }
    }
}
