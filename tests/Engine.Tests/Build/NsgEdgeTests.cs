using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Graphs;
using Signpost.Engine.Kernels;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Build;

public sealed class NsgEdgeTests
{
    [Fact]
    public void Of_the_edges_that_a_search_selects_none_is_occluded_by_a_nearer_one()
    {
        using VectorBlock vectors = Sets.Clustered(3000, 20, ElementType.UInt8, 71);
        var options = new GraphOptions { R = 16, L = 40, KnnK = 24 };
        var space = new BuildSpace(vectors, Metric.L2, Work.Quiet);
        using KnnGraph knn = GraphBuilder.Neighbours(space, options, new Work(2));
        using Graph graph = GraphBuilder.Build(vectors, Metric.L2, options, new Work(2));
        using var scratch = new NsgScratch(space, options.R);
        long edges = 0;
        for (int v = 0; v < vectors.Count; v++)
        {
            uint[] kept = PairDistances.Select<uint[], Selection>(Metric.L2, ElementType.UInt8, new Selection(scratch, graph, knn, options, v));
            Assert.InRange(kept.Length, 1, options.R);
            Assert.DoesNotContain((uint)v, kept);
            edges += kept.Length;
            for (int i = 0; i < kept.Length; i++)
            {
                float toVertex = Distance(vectors, v, kept[i]);
                for (int nearer = 0; nearer < i; nearer++)
                {
                    Assert.True(Distance(vectors, v, kept[nearer]) <= toVertex, $"vertex {v}: edges ascend");
                    Assert.True(Distance(vectors, kept[nearer], kept[i]) >= toVertex, $"vertex {v}: {kept[i]} is behind {kept[nearer]}");
                }
            }
        }

        Assert.True(edges > 2 * vectors.Count, "there are edges to speak of");
    }

    private static unsafe float Distance(VectorBlock vectors, long a, long b) =>
        PairDistances.Between(Metric.L2, ElementType.UInt8, vectors.Row(a), vectors.Row(b), vectors.Dim);

    private readonly struct Selection(NsgScratch scratch, Graph graph, KnnGraph knn, GraphOptions options, int vertex) : IPairDistanceUser<uint[]>
    {
        public uint[] Use<TPair>()
            where TPair : struct, IPairDistance => scratch.SelectEdges<TPair>(graph, knn, vertex, options.L, options.C).ToArray();
    }
}
