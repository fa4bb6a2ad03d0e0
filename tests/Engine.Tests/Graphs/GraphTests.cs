using Signpost.Engine.Base;
using Signpost.Engine.Graphs;

namespace Signpost.Engine.Tests.Graphs;

public sealed class GraphTests
{
    [Fact]
    public void Neighbours_come_back_as_they_were_set()
    {
        using Graph graph = Graph.Allocate(300, 4, 7);
        graph.SetNeighbours(3, [299, 0, 256]);
        graph.SetNeighbours(4, [1, 2, 3, 5]);
        var row = new uint[4];
        Assert.Equal(3, graph.Neighbours(3, row));
        Assert.Equal([299, 0, 256], row[..3]);
        Assert.Equal(4, graph.Neighbours(4, row));
        Assert.Equal(0, graph.Neighbours(5, row));
        graph.SetNeighbours(3, [9]);
        Assert.Equal(1, graph.Neighbours(3, row));
    }

    [Fact]
    public void Ids_take_three_bytes_while_they_fit_beside_the_mark_of_an_unused_place()
    {
        Assert.Equal(3, Graph.IdBytesFor(0xFF_FFFF));
        Assert.Equal(4, Graph.IdBytesFor(0x100_0000));
        Assert.Equal(0xFF_FFFFL * 32 * 3 + 1, Graph.BytesFor(0xFF_FFFF, 32));
        Assert.Equal(0x100_0000L * 32 * 4 + 1, Graph.BytesFor(0x100_0000, 32));
    }

    [Fact]
    public unsafe void Ids_of_four_bytes_are_read_too()
    {
        using var rows = new AlignedBuffer(64); // rows 0 and 1 of a graph that is larger than its memory: only these are touched
        using var graph = new Graph(rows.Pointer, 0x200_0000, 4, 0x1FF_FFFF, null);
        graph.SetNeighbours(1, [0x1FF_FFFE, 5]);
        var row = new uint[4];
        Assert.Equal(2, graph.Neighbours(1, row));
        Assert.Equal([0x1FF_FFFEu, 5u], row[..2]);
    }

    [Fact]
    public void An_edge_to_a_vertex_that_does_not_exist_is_a_defect()
    {
        using Graph graph = Graph.Allocate(10, 2, 0);
        Assert.Throws<CheckFailedException>(() => graph.SetNeighbours(0, [10]));
        Assert.Throws<CheckFailedException>(() => graph.SetNeighbours(0, [1, 2, 3]));
        Assert.Throws<CheckFailedException>(() => graph.SetNeighbours(10, []));
    }

    [Fact]
    public void A_summary_counts_what_is_wrong()
    {
        using Graph graph = Graph.Allocate(5, 3, 0);
        graph.SetNeighbours(0, [1, 1, 0]);
        graph.SetNeighbours(1, [2]);
        GraphSummary summary = GraphChecks.Summarize(graph);
        Assert.Equal(4, summary.Edges);
        Assert.Equal([3, 1, 0, 1], summary.Degrees);
        Assert.Equal(3, summary.Reachable);
        Assert.Equal(1, summary.SelfEdges);
        Assert.Equal(1, summary.DuplicateEdges);
        Assert.False(summary.Sound);
    }
}
