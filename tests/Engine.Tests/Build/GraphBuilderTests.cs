using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Graphs;
using Signpost.Engine.Search;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Build;

public sealed class GraphBuilderTests
{
    private static readonly GraphOptions Small = new() { R = 16, L = 40, KnnK = 24, CellSize = 256 };

    [Theory]
    [InlineData(Metric.L2, ElementType.Float32)]
    [InlineData(Metric.L2, ElementType.Float16)]
    [InlineData(Metric.L2, ElementType.UInt8)]
    [InlineData(Metric.L2, ElementType.Int8)]
    [InlineData(Metric.Cosine, ElementType.Float32)]
    [InlineData(Metric.Cosine, ElementType.Int8)]
    [InlineData(Metric.InnerProduct, ElementType.Float32)]
    [InlineData(Metric.InnerProduct, ElementType.Int8)]
    public void A_built_graph_is_sound_and_finds_the_nearest(Metric metric, ElementType type)
    {
        using VectorBlock vectors = Sets.Clustered(4000, 20, type, 21);
        using VectorBlock queries = Sets.Clustered(100, 20, type, 21, stream: 5);
        using Graph graph = GraphBuilder.Build(vectors, metric, Small, new Work(2));
        GraphSummary summary = GraphChecks.Summarize(graph);
        Assert.True(summary.Sound, summary.ToString());
        int l = metric == Metric.InnerProduct ? 120 : 40; // the largest products are no one's neighbours: they take a wider walk
        double recall = Sets.Recall(Search(vectors, queries, graph, metric, l), Sets.Truth(vectors, queries, metric, 10));
        Assert.True(recall >= 0.97, $"recall {recall}");
    }

    [Fact]
    public void The_graph_is_the_same_on_any_number_of_threads()
    {
        using VectorBlock vectors = Sets.Clustered(5000, 16, ElementType.Float32, 31);
        byte[] one = Bytes(GraphBuilder.Build(vectors, Metric.L2, Small, new Work(1)));
        byte[] two = Bytes(GraphBuilder.Build(vectors, Metric.L2, Small, new Work(2)));
        byte[] five = Bytes(GraphBuilder.Build(vectors, Metric.L2, Small, new Work(5)));
        Assert.Equal(one, two);
        Assert.Equal(one, five);
        Assert.NotEqual(one, Bytes(GraphBuilder.Build(vectors, Metric.L2, Small with { Seed = 2 }, new Work(2))));
    }

    [Fact]
    public void Many_copies_of_one_vector_stay_reachable()
    {
        using VectorBlock vectors = Sets.Clustered(3000, 8, ElementType.UInt8, 41);
        for (long i = 0; i < 3000; i += 2)
        {
            vectors.RowSpan(0).CopyTo(Writable(vectors, i));
        }

        foreach (Metric metric in (Metric[])[Metric.L2, Metric.InnerProduct])
        {
            using Graph graph = GraphBuilder.Build(vectors, metric, Small, new Work(2));
            GraphSummary summary = GraphChecks.Summarize(graph);
            Assert.True(summary.Sound, summary.ToString());

            // A row leads elsewhere: of a vector that occurs so often it has one copy, and those that hang on to it.
            var row = new uint[Small.R];
            double copies = Enumerable.Range(0, 1500).Average(i => row[..graph.Neighbours((uint)(2 * i), row)].Count(n => n % 2 == 0));
            Assert.InRange(copies, 0, 3);
        }
    }

    [Fact]
    public void Islands_are_connected()
    {
        var points = new float[2 * 3000];
        var random = new Seeded(1, 1);
        for (int i = 0; i < 3000; i++)
        {
            points[2 * i] = 1e6f * (i % 30) + (float)random.NextGaussian();
            points[2 * i + 1] = (float)random.NextGaussian();
        }

        using VectorBlock vectors = VectorBlock.Of(points, 2);
        using Graph graph = GraphBuilder.Build(vectors, Metric.L2, Small with { R = 4, L = 8, KnnK = 4 }, new Work(2));
        GraphSummary summary = GraphChecks.Summarize(graph);
        Assert.True(summary.Sound, summary.ToString());
    }

    [Fact]
    public void The_neighbour_graph_is_nearly_complete()
    {
        using VectorBlock vectors = Sets.Clustered(6000, 24, ElementType.UInt8, 51);
        using KnnGraph knn = GraphBuilder.Neighbours(new BuildSpace(vectors, Metric.L2, Work.Quiet), new GraphOptions { KnnK = 24 }, new Work(2));
        uint[][] truth = Sets.Truth(vectors, vectors.Slice(0, 50), Metric.L2, 21).Select((t, i) => t.Where(id => id != i).Take(20).ToArray()).ToArray();
        double recall = Sets.Recall(Enumerable.Range(0, 50).Select(v => Rows(knn, v)).ToArray(), truth);
        Assert.True(recall >= 0.95, $"recall {recall}");
    }

    [Fact]
    public void A_cancelled_build_ends_with_the_cancellation()
    {
        using VectorBlock vectors = Sets.Clustered(3000, 8, ElementType.Float32, 61);
        using var cancel = new CancellationTokenSource();
        var work = new Work(2, new Callback(p => cancel.Cancel()), cancel.Token);
        Assert.ThrowsAny<OperationCanceledException>(() => GraphBuilder.Build(vectors, Metric.L2, Small, work));
    }

    [Fact]
    public void Every_option_out_of_range_is_named()
    {
        string[] named = new GraphOptions { R = 1, L = 0, KnnK = 1000 }.Validate().Select(p => p.What).ToArray();
        Assert.Equal(["r", "l", "knn-k"], named);
        Assert.Empty(new GraphOptions().Validate());
    }

    private static uint[][] Search(VectorBlock vectors, VectorBlock queries, Graph graph, Metric metric, int l)
    {
        var view = new SegmentView { Vectors = vectors, Metric = metric, Graph = graph };
        using var scratch = new SearchScratch();
        using var query = new Query(vectors.Dim, vectors.Type, metric);
        var found = new uint[queries.Count][];
        var results = new Neighbour[10];
        for (int q = 0; q < queries.Count; q++)
        {
            query.SetRow(queries.RowSpan(q));
            int count = Searcher.Search(view, query, new SearchParameters(10, l), Deadline.None, scratch, results, out _);
            found[q] = results[..count].Select(r => r.Id).ToArray();
        }

        return found;
    }

    private static unsafe uint[] Rows(KnnGraph knn, int vertex) =>
        new Span<ulong>(knn.Row(vertex), 20).ToArray().Select(key => (uint)key >> 1).ToArray();

    private static unsafe Span<byte> Writable(VectorBlock vectors, long row) => new(vectors.Row(row), vectors.RowBytes);

    private static unsafe byte[] Bytes(Graph graph)
    {
        using (graph)
        {
            return new ReadOnlySpan<byte>(graph.Rows, (int)Graph.BytesFor(graph.Count, graph.R)).ToArray();
        }
    }

    private sealed class Callback(Action<PhaseProgress> action) : IProgress<PhaseProgress>
    {
        public void Report(PhaseProgress value) => action(value);
    }
}
