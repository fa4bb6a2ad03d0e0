using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Graphs;
using Signpost.Engine.Search;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Search;

public sealed class BeamSearchTests
{
    /// <summary>Eight points on a line, 0 .. 7, each linked to the next and the one before; the walk enters at 0.</summary>
    private static SegmentView Line()
    {
        Graph graph = Graph.Allocate(8, 2, 0);
        for (uint v = 0; v < 8; v++)
        {
            graph.SetNeighbours(v, v == 0 ? [1] : v == 7 ? [6] : [v - 1, v + 1]);
        }

        return new SegmentView { Vectors = VectorBlock.Of([0, 1, 2, 3, 4, 5, 6, 7], 1), Metric = Metric.L2, Graph = graph };
    }

    [Fact]
    public void A_walk_along_a_line_expands_each_point_on_the_way_once()
    {
        (uint[] ids, float[] distances, SearchStats stats) = Ask(Line(), [5.2f], new SearchParameters(2, 2));
        Assert.Equal([5u, 6u], ids);
        Assert.Equal([0.2f * 0.2f, 0.8f * 0.8f], distances, (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal(7, stats.Hops); // 0 .. 6; 7 is evaluated, but by then two nearer ones are closed
        Assert.Equal(8, stats.DistanceComputations);
        Assert.False(stats.DeadlineReached);
    }

    [Fact]
    public void A_pool_of_the_size_of_the_graph_finds_exactly_the_nearest()
    {
        using VectorBlock vectors = Sets.Clustered(600, 16, ElementType.Float32, 5);
        using VectorBlock queries = Sets.Clustered(20, 16, ElementType.Float32, 5, stream: 9);
        using Graph graph = GraphBuilder.Build(vectors, Metric.L2, new GraphOptions { R = 12 }, Work.Quiet);
        uint[][] truth = Sets.Truth(vectors, queries, Metric.L2, 10);
        var view = new SegmentView { Vectors = vectors, Metric = Metric.L2, Graph = graph };
        for (int q = 0; q < queries.Count; q++)
        {
            var query = new float[16];
            queries.CopyRow(q, query);
            (uint[] ids, _, SearchStats stats) = Ask(view, query, new SearchParameters(10, 600));
            Assert.Equal(truth[q], ids);
            Assert.Equal(600, stats.Hops);
            Assert.Equal(600, stats.DistanceComputations); // each vertex once
        }
    }

    [Fact]
    public void A_search_allocates_nothing()
    {
        using VectorBlock vectors = Sets.Clustered(2000, 32, ElementType.UInt8, 6);
        using Graph graph = GraphBuilder.Build(vectors, Metric.L2, new GraphOptions(), Work.Quiet);
        var view = new SegmentView { Vectors = vectors, Metric = Metric.L2, Graph = graph };
        using var scratch = new SearchScratch();
        using var query = new Query(32, ElementType.UInt8, Metric.L2);
        var results = new Neighbour[10];
        const int searches = 300; // over the 255 epochs of the visited set, in every round
        long allocated = Allocation.Least(searches, i =>
        {
            query.SetRow(vectors.RowSpan(i));
            Searcher.Search(view, query, new SearchParameters(10, 50), Deadline.None, scratch, results, out _);
        });
        Assert.Equal(0, allocated);
    }

    [Fact]
    public void A_deadline_that_is_over_leaves_the_best_so_far()
    {
        var points = new float[1000];
        Graph graph = Graph.Allocate(1000, 1, 0);
        for (uint v = 0; v < 999; v++)
        {
            points[v] = v;
            graph.SetNeighbours(v, [v + 1]);
        }

        points[999] = 999;
        var view = new SegmentView { Vectors = VectorBlock.Of(points, 1), Metric = Metric.L2, Graph = graph };
        (uint[] ids, _, SearchStats stats) = Ask(view, [999], new SearchParameters(1, 10), Deadline.After(TimeSpan.Zero));
        Assert.True(stats.DeadlineReached);
        Assert.InRange(stats.Hops, 1, 16);
        Assert.Equal([(uint)stats.Hops], ids);

        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        (_, _, stats) = Ask(view, [999], new SearchParameters(1, 10), Deadline.OnCancel(cancel.Token));
        Assert.True(stats.DeadlineReached);
        (ids, _, stats) = Ask(view, [999], new SearchParameters(1, 10), Deadline.After(TimeSpan.FromMinutes(1)));
        Assert.False(stats.DeadlineReached);
        Assert.Equal([999u], ids);
    }

    [Fact]
    public void A_graph_of_one_vertex_or_none_answers()
    {
        using Graph one = GraphBuilder.Build(VectorBlock.Of([3f, 4f], 2), Metric.L2, new GraphOptions(), Work.Quiet);
        var view = new SegmentView { Vectors = VectorBlock.Of([3f, 4f], 2), Metric = Metric.L2, Graph = one };
        (uint[] ids, float[] distances, _) = Ask(view, [0, 0], new SearchParameters(5, 5));
        Assert.Equal([0u], ids);
        Assert.Equal([25f], distances);

        using Graph none = GraphBuilder.Build(VectorBlock.Allocate(0, 2, ElementType.Float32), Metric.L2, new GraphOptions(), Work.Quiet);
        view = new SegmentView { Vectors = VectorBlock.Allocate(0, 2, ElementType.Float32), Metric = Metric.L2, Graph = none };
        (ids, _, _) = Ask(view, [0, 0], new SearchParameters(5, 5));
        Assert.Empty(ids);
    }

    [Theory]
    [InlineData(0, 10, 0, SearchMode.Exact, "k")]
    [InlineData(10, 9, 0, SearchMode.Exact, "l")]
    [InlineData(10, 20, 9, SearchMode.Exact, "rerank")]
    [InlineData(10, 20, 21, SearchMode.Exact, "rerank")]
    [InlineData(10, 20, 0, SearchMode.Codes, "mode")]
    public void Parameters_out_of_range_are_refused_by_name(int k, int l, int rerank, SearchMode mode, string what)
    {
        Problem? problem = Searcher.Validate(Line(), new SearchParameters(k, l, mode, rerank));
        Assert.Equal(what, problem?.What);
        Assert.Null(Searcher.Validate(Line(), new SearchParameters(10, 20, SearchMode.Exact, 10)));
    }

    private static (uint[] Ids, float[] Distances, SearchStats Stats) Ask(
        SegmentView view, float[] vector, SearchParameters parameters, Deadline deadline = default)
    {
        using var scratch = new SearchScratch();
        using var query = new Query(vector.Length, view.Vectors.Type, view.Metric);
        Assert.Null(query.Set(vector));
        var results = new Neighbour[parameters.K];
        int found = Searcher.Search(view, query, parameters, deadline, scratch, results, out SearchStats stats);
        return (results[..found].Select(r => r.Id).ToArray(), results[..found].Select(r => r.Distance).ToArray(), stats);
    }
}
