using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Build;

/// <summary>
/// From vectors to the graph of a segment: cells and NN-Descent find the neighbours, NSG chooses the edges.
/// </summary>
public static class GraphBuilder
{
    /// <summary>Up to so many vectors the k-NN graph is exact: one cell.</summary>
    private const int ExactCount = 2048;

    /// <summary>Builds the graph of <paramref name="vectors"/>; vertex i is row i.</summary>
    /// <param name="vectors">Fewer than 2^31 rows. Read at random: in memory, not on a disk.</param>
    /// <param name="metric">Metric of the searches to come.</param>
    /// <param name="options">Valid.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    public static Graph Build(VectorBlock vectors, Metric metric, GraphOptions options, Work work)
    {
        Check.That(!options.Validate().Any());
        if (vectors.Count < 2)
        {
            return Graph.Allocate((uint)vectors.Count, options.R, 0);
        }

        var space = new BuildSpace(vectors, metric, work);
        using KnnGraph knn = Neighbours(space, options, work);
        return PairDistances.Select<Graph, Nsg>(metric, vectors.Type, new Nsg(space, knn, options, work));
    }

    /// <summary>The k-NN graph of <paramref name="space"/>, nearly complete.</summary>
    internal static KnnGraph Neighbours(BuildSpace space, GraphOptions options, Work work)
    {
        var knn = new KnnGraph(space.Count, Math.Min(options.KnnK, space.Count - 1));
        bool exact = space.Count <= ExactCount;
        var cells = new KnnPartition(space, knn, exact ? space.Count : options.CellSize, options.Seed, work);
        for (int division = 0; division < (exact ? 1 : options.Divisions); division++)
        {
            cells.Run(division);
        }

        var descent = new NnDescent(space, knn, options.DescentSample, work);
        for (int round = 0; round < (exact ? 0 : options.DescentRounds); round++)
        {
            descent.Run(round);
        }

        return knn;
    }
}
