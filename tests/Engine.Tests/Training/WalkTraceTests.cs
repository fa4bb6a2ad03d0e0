using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Training;

/// <summary>Candidate sets and labels, worked out by hand on six vertices and by a dull recorder on a real graph.</summary>
/// <remarks>
/// Six points of a line, the query at 8, the entry vertex 0; the codes say something else of where the points are:
/// <code>
/// vertex              0    1    2    3    4    5
/// edges to          2 3    0    0  4 1  5 3    4
/// true distance      64   81   16    4    1    1
/// by the codes       64   81   16    9    4 6.25
/// </code>
/// With a pool of 3 the walk expands 0 (takes 2 and 3), 3 (takes 4, which evicts 0; refuses 1), 4 (takes 5, which evicts 2), 5 (in the
/// second place of the pool).
/// </remarks>
public sealed unsafe class WalkTraceTests
{
    [Theory]
    [InlineData(CandidateSet.Visited, 2, 2, "0: 3 2 0 | 1: 4 3 2 | 2: 4 5 3 | 3: 4 5")]
    [InlineData(CandidateSet.Visited, 2, 1, "0: 2 0 | 1: 4 3 2 | 2: 4 5 3 | 3: 4 5")] // the second new neighbour, 3, stays out
    [InlineData(CandidateSet.Visited, 1, 2, "0: 3 2 0 | 1: 4 3 | 2: 4 5")] // hop 3 expands the second of the pool
    [InlineData(CandidateSet.Unvisited, 2, 2, "0: 3 2 | 1: 4 2 | 2: 5 2")] // at hop 3 nothing is left to choose from
    [InlineData(CandidateSet.Unvisited, 2, 1, "1: 4 2 | 2: 5 2")] // one candidate is no decision
    public void The_candidates_of_six_vertices_are_those_of_the_definition(CandidateSet candidates, int top, int @new, string expected)
    {
        RoutingSample sample = SampleSix(Options with { Candidates = candidates, Top = top, New = @new });

        Assert.Equal(expected, string.Join(" | ", sample.Candidates().Zip(sample.RecordHops, (ids, hop) => $"{hop}: {string.Join(' ', ids)}")));
        Assert.All(sample.RecordLengths, length => Assert.Equal(4, length));
        Assert.Equal(sample.Candidates().SelectMany(ids => ids).Select(v => new[] { 64f, 81, 16, 4, 1, 1 }[v]), sample.Distances);
    }

    [Theory]
    [InlineData(HopLabel.Nearest, CandidateSet.Visited, "3 | 4 | 4 5 | 4 5")] // 4 and 5 are exactly as near
    [InlineData(HopLabel.LeadsToNeighbour, CandidateSet.Visited, "3 | 4 | 4 | 4")] // the nearest is 4, the lower of the two
    [InlineData(HopLabel.Nearest, CandidateSet.Unvisited, "3 | 4 | 5")]
    [InlineData(HopLabel.LeadsToNeighbour, CandidateSet.Unvisited, "3 | 4 | 5")] // 3 edges from 2 to 4, one from 5
    public void The_right_candidates_of_six_vertices_are_those_of_the_definition(HopLabel label, CandidateSet candidates, string expected) =>
        Assert.Equal(expected, string.Join(" | ", SampleSix(Options with { Candidates = candidates, Label = label }).Right().Select(ids => string.Join(' ', ids))));

    [Fact]
    public void Hops_are_counted_along_the_edges_to_the_nearest_target_and_past_the_hidden_vertex()
    {
        using Graph graph = Graph.Allocate(7, 2, 0);
        for (uint v = 0; v < 6; v++)
        {
            graph.SetNeighbours(v, [v + 1]); // 0 -> 1 -> ... -> 6
        }

        graph.SetNeighbours(1, [2, 6]);
        var hops = new HopsToNeighbour(new ReverseEdges(graph));

        Assert.Equal([2, 1, 3, 2, 1, 0, 0], All(hops, [6, 5], QuerySet.Outside, 3));
        Assert.Equal([B, 1, B, B, B, 1, 0], All(hops, [6], QuerySet.Outside, 1));
        Assert.Equal([2, 1, B, B, B, 1, 0], All(hops, [6], 4, 3)); // the way from 3 is by 4
        Assert.Equal([B, B, B, B, B, B, B], All(hops, [], QuerySet.Outside, 3));
    }

    [Theory]
    [InlineData(CandidateSet.Visited, SearchMode.Codes)]
    [InlineData(CandidateSet.Unvisited, SearchMode.Codes)]
    [InlineData(CandidateSet.Visited, SearchMode.Exact)]
    [InlineData(CandidateSet.Unvisited, SearchMode.Exact)]
    public void Records_of_a_real_graph_are_those_of_a_dull_recorder(CandidateSet candidates, SearchMode mode)
    {
        using var collection = new SmallCollection();
        using QuerySet queries = collection.Of(3, 700, 1499, collection.View.Graph.Entry);
        SamplingOptions options = new() { L = 30, Top = 12, New = 5, Candidates = candidates, HopsPerQuery = 4096, CandidatesPerHop = 4096, Negatives = 0 };

        RoutingSample sample = RoutingSampler.Sample(collection.View, queries, mode, options, Work.Quiet);

        (int Hop, uint[] Candidates)[][] expected =
            [.. Enumerable.Range(0, queries.Count).Select(q => DullRecorder.Record(collection.View, queries, q, mode, options))];
        Assert.Equal(expected.SelectMany(records => records.Select(record => record.Hop)), sample.RecordHops);
        Assert.Equal(expected.SelectMany(records => records.Select(record => record.Candidates.Order())), sample.Candidates().Select(ids => ids.Order()));
    }

    private const byte B = HopsToNeighbour.Beyond;

    private static SamplingOptions Options => new() { L = 3, Top = 2, New = 2, HopsPerQuery = 100, Positives = 1, Negatives = 0 };

    private static byte[] All(HopsToNeighbour hops, uint[] targets, uint hidden, int depth)
    {
        hops.Begin(targets, hidden);
        for (int i = 0; i < depth; i++)
        {
            hops.Deepen();
        }

        return [.. Enumerable.Range(0, 7).Select(v => hops.Of((uint)v))];
    }

    private static RoutingSample SampleSix(SamplingOptions options)
    {
        using Graph graph = Graph.Allocate(6, 2, 0);
        uint[][] edges = [[2, 3], [0], [0], [4, 1], [5, 3], [4]];
        for (uint v = 0; v < 6; v++)
        {
            graph.SetNeighbours(v, edges[v]);
        }

        var codewords = new float[16]; // vertex v has code v
        new[] { 0f, 17, 4, 5, 6, 10.5f }.CopyTo(codewords, 0);
        var quantizer = new ProductQuantizer(QuantizerKind.Pq, Metric.L2, 1, 1, 16, 7, codewords, []);
        fixed (byte* codes = new byte[] { 0, 1, 2, 3, 4, 5 })
        {
            using VectorBlock vectors = VectorBlock.Of([0, 17, 4, 6, 7, 9], 1);
            using var query = new QuerySet(VectorBlock.Of([8f], 1), [QuerySet.Outside]);
            var view = new SegmentView { Vectors = vectors, Metric = Metric.L2, Graph = graph, Codes = codes, Quantizer = quantizer };
            RoutingSample sample = RoutingSampler.Sample(view, query, options, Work.Quiet);
            Assert.Equal(7u, sample.QuantizerVersion);
            return sample;
        }
    }
}
