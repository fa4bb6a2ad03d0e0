using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Kernels;
using Signpost.Engine.Search;

namespace Signpost.Engine.Build;

/// <summary>
/// The navigating spreading-out graph (Fu, Xiang, Wang, Cai, PVLDB 12(5), 2019): each vertex keeps, of all that a search for it
/// from the navigating node evaluates, the neighbours that the RNG rule leaves; edges are then offered in reverse, and every
/// vertex is made reachable.
/// </summary>
/// <remarks>
/// Departures from the paper: the construction search walks the pruned k-NN graph with its reverse edges instead of the k-NN
/// graph itself, which has three times the neighbours to evaluate and no way back along an edge; reverse edges of a vertex are merged
/// at once instead of one by one, so the graph is the same on any number of threads.
/// </remarks>
internal sealed unsafe class Nsg(BuildSpace space, KnnGraph knn, GraphOptions options, Work work) : IPairDistanceUser<Graph>
{
    private const int Chunk = 64;

    /// <summary>Builds the graph.</summary>
    public Graph Use<TPair>()
        where TPair : struct, IPairDistance
    {
        uint entry = NavigatingNode.Of(space, work);
        Graph shortSighted = PruneKnn<TPair>(entry);
        AddReverse<TPair>(shortSighted);
        Graph graph = SearchAndPrune<TPair>(shortSighted);
        shortSighted.Dispose();
        AddReverse<TPair>(graph);
        Connect.All<TPair>(space, graph, options.L, work);
        return graph;
    }

    private Graph PruneKnn<TPair>(uint entry)
        where TPair : struct, IPairDistance
    {
        Graph pruned = Graph.Allocate((uint)space.Count, options.R, entry);
        using var scratch = new PerWorker<NsgScratch>(work.Threads, () => new NsgScratch(space, options));
        work.For("pruning the k-NN graph", space.Count, Chunk, (from, to, worker) =>
        {
            NsgScratch my = scratch[worker];
            for (int v = (int)from; v < to; v++)
            {
                my.Candidates.Clear();
                my.AddKnn(knn, v);
                int kept = my.Prune.Rng<TPair>(my.Candidates.Keys);
                pruned.SetNeighbours((uint)v, my.Prune.Ids.AsSpan(0, kept));
            }
        });
        return pruned;
    }

    /// <summary>Searches <paramref name="graph"/> for every vertex and prunes what was evaluated.</summary>
    private Graph SearchAndPrune<TPair>(Graph graph)
        where TPair : struct, IPairDistance
    {
        Graph pruned = Graph.Allocate(graph.Count, options.R, graph.Entry);
        using var scratch = new PerWorker<NsgScratch>(work.Threads, () => new NsgScratch(space, options));
        work.For("searching and pruning", space.Count, Chunk, (from, to, worker) =>
        {
            NsgScratch my = scratch[worker];
            for (int v = (int)from; v < to; v++)
            {
                my.Evaluate<TPair>(graph, v, options.L);
                my.AddKnn(knn, v);
                int kept = my.Prune.Rng<TPair>(my.Nearest(v, options.C));
                pruned.SetNeighbours((uint)v, my.Prune.Ids.AsSpan(0, kept));
            }
        });
        return pruned;
    }

    /// <summary>
    /// Offers every edge of <paramref name="graph"/> to its target too, in place. A vertex takes all while it has room, else the
    /// RNG rule decides again.
    /// </summary>
    private void AddReverse<TPair>(Graph graph)
        where TPair : struct, IPairDistance
    {
        using var reverse = new KnnGraph(space.Count, options.R);
        using var scratch = new PerWorker<NsgScratch>(work.Threads, () => new NsgScratch(space, options));
        work.For("reverse edges", space.Count, Chunk, (from, to, worker) =>
        {
            NsgScratch my = scratch[worker];
            for (int v = (int)from; v < to; v++)
            {
                foreach (ulong key in my.Row<TPair>(graph, v))
                {
                    reverse.Offer((int)((uint)key >> 1), (key & ~0xFFFF_FFFFul) | ((uint)v << 1));
                }
            }
        });
        work.For("merging reverse edges", space.Count, Chunk, (from, to, worker) =>
        {
            for (int v = (int)from; v < to; v++)
            {
                graph.SetNeighbours((uint)v, scratch[worker].Merge<TPair>(graph, reverse, v));
            }
        });
    }
}
