using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Kernels;

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

    private delegate ReadOnlySpan<uint> EdgesOf(NsgScratch my, int vertex);

    /// <summary>Builds the graph.</summary>
    public Graph Use<TPair>()
        where TPair : struct, IPairDistance
    {
        uint entry = NavigatingNode.Of(space, work);
        using Graph shortSighted = Graph.Allocate((uint)space.Count, options.R, entry);
        SetEdges("pruning the k-NN graph", shortSighted, (my, v) => my.PruneKnn<TPair>(knn, v));
        AddReverse<TPair>(shortSighted);

        Graph graph = Graph.Allocate((uint)space.Count, options.R, entry);
        SetEdges("searching and pruning", graph, (my, v) => my.SelectEdges<TPair>(shortSighted, knn, v, options.L, options.C));
        shortSighted.Dispose(); // as early as may be: what follows has the most memory in use
        AddReverse<TPair>(graph);
        Connect.All<TPair>(space, graph, options.L, work);
        return graph;
    }

    /// <summary>
    /// Offers every edge of <paramref name="graph"/> to its target too, in place. A vertex takes all while it has room, else the
    /// RNG rule decides again.
    /// </summary>
    private void AddReverse<TPair>(Graph graph)
        where TPair : struct, IPairDistance
    {
        using var reverse = new KnnGraph(space.Count, options.R);
        ForEachVertex("reverse edges", (my, v) =>
        {
            foreach (ulong key in my.Row<TPair>(graph, v))
            {
                reverse.Offer((int)((uint)key >> 1), (key & ~0xFFFF_FFFFul) | ((uint)v << 1));
            }
        });
        SetEdges("merging reverse edges", graph, (my, v) => my.Merge<TPair>(graph, reverse, v));
    }

    private void SetEdges(string phase, Graph graph, EdgesOf edgesOf) =>
        ForEachVertex(phase, (my, v) => graph.SetNeighbours((uint)v, edgesOf(my, v)));

    private void ForEachVertex(string phase, Action<NsgScratch, int> body)
    {
        using var scratch = new PerWorker<NsgScratch>(work.Threads, () => new NsgScratch(space, options.R));
        work.For(phase, space.Count, Chunk, (from, to, worker) =>
        {
            for (int v = (int)from; v < to; v++)
            {
                body(scratch[worker], v);
            }
        });
    }
}
