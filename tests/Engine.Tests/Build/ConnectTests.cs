using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Graphs;
using Signpost.Engine.Kernels;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Build;

public sealed class ConnectTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void Thousands_of_vertices_without_edges_become_a_tree(int r)
    {
        using VectorBlock vectors = Sets.Clustered(3000, 4, ElementType.Float32, 71);
        IsTree(vectors, r);
    }

    // Searches among copies look at the same few vertices, which are soon full: room is found elsewhere, in time linear in the vertices.
    [Fact]
    public void Where_all_that_a_search_finds_is_full_there_is_room_elsewhere()
    {
        using VectorBlock copies = VectorBlock.Allocate(100_000, 1, ElementType.UInt8);
        IsTree(copies, 2);
    }

    [Fact]
    public void An_edge_that_gives_way_is_not_the_only_way_to_its_target()
    {
        // 0 is the entry; 0 -> 1 and 0 -> 2 -> 1: of the full row of 0 the edges are all of the tree or of another way.
        using VectorBlock line = VectorBlock.Of([0, 1, 2, 0.1f], 1);
        using Graph graph = Graph.Allocate(4, 2, 0);
        graph.SetNeighbours(0, [1, 2]);
        graph.SetNeighbours(1, [2, 0]);
        graph.SetNeighbours(2, [1, 0]);
        Run(line, graph);
        GraphSummary summary = GraphChecks.Summarize(graph);
        Assert.True(summary.Sound, summary.ToString());
    }

    private static void IsTree(VectorBlock vectors, int r)
    {
        using Graph graph = Graph.Allocate((uint)vectors.Count, r, 7);
        Run(vectors, graph);
        GraphSummary summary = GraphChecks.Summarize(graph);
        Assert.True(summary.Sound, summary.ToString());
        Assert.Equal(vectors.Count - 1, summary.Edges);
    }

    private static void Run(VectorBlock vectors, Graph graph)
    {
        var space = new BuildSpace(vectors, Metric.L2, Work.Quiet);
        PairDistances.Select<int, Connector>(Metric.L2, vectors.Type, new Connector(space, graph));
    }

    private readonly struct Connector(BuildSpace space, Graph graph) : IPairDistanceUser<int>
    {
        public int Use<TPair>()
            where TPair : struct, IPairDistance
        {
            Connect.All<TPair>(space, graph, 8, Work.Quiet);
            return 0;
        }
    }
}
