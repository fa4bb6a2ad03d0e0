using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Search;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Training;

public sealed unsafe class RoutingSamplerTests
{
    private static readonly SamplingOptions Options = new() { Queries = 60, HeldOut = 20, L = 40, Top = 25, CandidatesPerHop = 8, Negatives = 20 };

    [Theory]
    [InlineData(Metric.L2, ElementType.UInt8, CandidateSet.Unvisited, HopLabel.Nearest)]
    [InlineData(Metric.L2, ElementType.Float32, CandidateSet.Visited, HopLabel.LeadsToNeighbour)]
    [InlineData(Metric.Cosine, ElementType.Float32, CandidateSet.Visited, HopLabel.Nearest)]
    [InlineData(Metric.InnerProduct, ElementType.Float16, CandidateSet.Unvisited, HopLabel.LeadsToNeighbour)]
    public void A_sample_keeps_what_it_promises(Metric metric, ElementType type, CandidateSet candidates, HopLabel label)
    {
        using var collection = new SmallCollection(1200, metric, type);
        using QueryChoice choice = QueryChoice.OfCollection([collection.View], Options);
        SamplingOptions options = Options with { Candidates = candidates, Label = label };
        RoutingSample sample = RoutingSampler.Sample(collection.View, choice.Training[0], options, new Work(2));
        RoutingSample whole = RoutingSampler.Sample(collection.View, choice.Training[0], options with { CandidatesPerHop = 4096 }, new Work(2));

        Assert.Equal(60, sample.QueryCount);
        Assert.Equal(60 * 4, sample.RecordCount);
        Assert.Equal(whole.RecordHops, sample.RecordHops);
        ReadOnlySpan<uint> own = choice.Training[0].Own;
        (uint[][] kept, uint[][] all) = (sample.Candidates(), whole.Candidates());
        for (int record = 0; record < sample.RecordCount; record++)
        {
            uint self = own[sample.RecordQueries[record]];
            Assert.Equal(kept[record].Distinct(), kept[record]);
            Assert.DoesNotContain(self, kept[record]);
            Assert.InRange(kept[record].Length, 2, 8);
            Assert.Equal(Math.Min(8, all[record].Length), kept[record].Length);
            Assert.Empty(kept[record].Except(all[record]));
            Assert.Equal(all[record].Take(4), kept[record].Take(4)); // the walk's best
            Assert.Contains(NearestOf(whole, record), sample.Right()[record]);
        }

        AssertVectors(collection.View, sample);
    }

    [Fact]
    public void Positives_are_the_true_neighbours_and_negatives_the_false_ones_that_the_codes_rank_high()
    {
        using var collection = new SmallCollection();
        using QuerySet queries = collection.Of(0, 5, 77, 1400);
        RoutingSample sample = RoutingSampler.Sample(collection.View, queries, Options, Work.Quiet);

        uint[][] truth = [.. Sets.Truth(collection.View.Vectors, queries.Vectors, Metric.L2, 11)
            .Select((row, q) => row.Where(id => id != queries.Own[q]).Take(10).ToArray())];
        Assert.Equal(truth, sample.Positives());
        using var walker = new ShardWalker(collection.View);
        for (int q = 0; q < queries.Count; q++)
        {
            walker.Bind(queries, q);
            uint[] ranked = TrueNeighbours.Best(walker.Walk(SearchMode.Codes, 40), 20, queries.Own[q]);
            Assert.Equal(ranked.Except(truth[q]), sample.Negatives()[q]);
            Assert.NotEmpty(sample.Negatives()[q]);
        }
    }

    [Fact]
    public void Positives_of_the_graph_are_the_edges_of_the_own_or_the_nearest_vertex()
    {
        using var collection = new SmallCollection();
        using QuerySet stored = collection.Of(42);
        using var outside = new QuerySet(stored.Vectors.Slice(0, 1), [QuerySet.Outside]);
        SamplingOptions options = Options with { Neighbours = NeighbourSource.Graph };
        var row = new uint[16];
        uint[] edges = row[..collection.View.Graph.Neighbours(42, row)];

        uint[] positives = RoutingSampler.Sample(collection.View, stored, options, Work.Quiet).Positives()[0];
        Assert.Equal(edges.Take(10), positives);
        Assert.Equal([42u, .. edges.Take(9)], RoutingSampler.Sample(collection.View, outside, options, Work.Quiet).Positives()[0]);
    }

    [Fact]
    public void A_wide_search_finds_what_looking_at_every_vector_finds()
    {
        using var collection = new SmallCollection();
        using QuerySet queries = collection.Of(1, 2, 3, 900);
        Neighbour[][] exhaustive = TrueNeighbours.Exhaustive(collection.View, queries.Vectors, queries.Own, 10, Work.Quiet);

        Assert.Equal(exhaustive.Select(row => row.Select(near => near.Id)), TrueNeighbours.Of(collection.View, queries, 10, Work.Quiet));
        Assert.Equal(exhaustive.Select(row => row.Select(near => near.Id)), TrueNeighbours.Search(collection.View, queries, 10, new Work(2)));
    }

    [Fact]
    public void Hops_are_drawn_one_from_each_equal_part_of_the_walk()
    {
        using var collection = new SmallCollection();
        using QueryChoice choice = QueryChoice.OfCollection([collection.View], Options with { Queries = 400 });
        SamplingOptions options = Options with { Candidates = CandidateSet.Visited, HopsPerQuery = 4 };
        RoutingSample all = RoutingSampler.Sample(collection.View, choice.Training[0], options with { HopsPerQuery = 4096 }, new Work(2));
        RoutingSample drawn = RoutingSampler.Sample(collection.View, choice.Training[0], options, new Work(2));

        ILookup<int, int> hops = Enumerable.Range(0, all.RecordCount).ToLookup(r => all.RecordQueries[r], r => all.RecordHops[r]);
        int first = 0;
        for (int record = 0; record < drawn.RecordCount; record++)
        {
            int[] walk = [.. hops[drawn.RecordQueries[record]]];
            int place = Array.IndexOf(walk, drawn.RecordHops[record]), part = record % 4;
            Assert.InRange(place, part * walk.Length / 4, (part + 1) * walk.Length / 4 - 1);
            first += place < walk.Length / 8 ? 1 : 0;
        }

        Assert.InRange(first, 120, 280); // half of the first parts' 400
    }

    [Fact]
    public void The_same_seed_gives_the_same_sample_on_any_number_of_threads_and_another_gives_another()
    {
        using var collection = new SmallCollection();
        using QueryChoice choice = QueryChoice.OfCollection([collection.View], Options);
        SamplingOptions options = Options with { Label = HopLabel.LeadsToNeighbour };
        byte[] one = RoutingSampler.Sample(collection.View, choice.Training[0], options, new Work(1)).Bytes();

        Assert.Equal(one, RoutingSampler.Sample(collection.View, choice.Training[0], options, new Work(2)).Bytes());
        Assert.Equal(one, RoutingSampler.Sample(collection.View, choice.Training[0], options, new Work(3)).Bytes());
        Assert.NotEqual(one, RoutingSampler.Sample(collection.View, choice.Training[0], options with { Seed = 2 }, new Work(1)).Bytes());
    }

    [Fact]
    public void A_walk_for_a_stored_vector_goes_as_if_it_were_not_stored()
    {
        using var collection = new SmallCollection();
        using QuerySet stored = collection.Of(42);
        using var walker = new ShardWalker(collection.View);
        walker.Bind(stored, 0);
        walker.Walk(SearchMode.Exact, 30);
        Assert.DoesNotContain(42u, walker.Log.Keys.ToArray().Select(key => (uint)key >> 1));
        walker.BindOutside(stored, 0);
        Assert.Equal(42u, walker.Walk(SearchMode.Exact, 30).Id(0));
    }

    [Fact]
    public void No_queries_give_an_empty_sample_and_tiny_shards_short_rows()
    {
        using var collection = new SmallCollection();
        using QuerySet none = collection.Of();
        RoutingSample empty = RoutingSampler.Sample(collection.View, none, Options, Work.Quiet);
        Assert.Equal((0, 0, 0, 0), (empty.QueryCount, empty.VertexCount, empty.RecordCount, empty.CandidateCount));

        using var tiny = new SmallCollection(VectorBlock.Of([1f, 2, 3, 4, 5, 6], 2), m: 1, r: 4);
        using QuerySet all = tiny.Of(0, 1, 2);
        RoutingSample sample = RoutingSampler.Sample(tiny.View, all, Options, Work.Quiet);
        Assert.Equal([2, 2, 2], sample.Positives().Select(row => row.Length));
        Assert.Equal([0, 0, 0], sample.Negatives().Select(row => row.Length));
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        using var collection = new SmallCollection(300);
        using QuerySet queries = collection.Of(1);
        using var floats = new QuerySet(VectorBlock.Allocate(1, 24, ElementType.Float32), [1]);
        var bare = new SegmentView { Vectors = collection.View.Vectors, Metric = Metric.L2, Graph = collection.View.Graph };

        Assert.Equal(ProblemCode.NotSupported, Refused(bare, queries, Options).Code);
        Assert.Equal(ProblemCode.WrongDimension, Refused(collection.View, floats, Options).Code);
        Problem wrong = Refused(collection.View, queries, Options with { Top = 41, CandidatesPerHop = 1, Candidates = (CandidateSet)2 });
        Assert.Equal("sampling setting top; sampling setting candidates; sampling setting candidates-per-hop", wrong.What);
        Assert.Equal("sampling setting positives", Refused(collection.View, queries, Options with { Positives = 0, Label = HopLabel.LeadsToNeighbour }).What);
        Assert.Empty(new SamplingOptions().Validate());
    }

    private static Problem Refused(SegmentView view, QuerySet queries, SamplingOptions options) =>
        Assert.Throws<ProblemException>(() => RoutingSampler.Sample(view, queries, options, Work.Quiet)).Problem;

    /// <summary>The best of the right ones, found one by one.</summary>
    private static uint NearestOf(RoutingSample sample, int record) =>
        Enumerable.Range(sample.CandidateStarts[record], sample.CandidateStarts[record + 1] - sample.CandidateStarts[record])
            .Where(i => sample.IsRight[i] == 1).Select(i => (sample.Distances[i], sample.Vertices[sample.Candidates[i]])).Min().Item2;

    private static void AssertVectors(SegmentView view, RoutingSample sample)
    {
        var row = new float[sample.Dim];
        for (int i = 0; i < sample.VertexCount; i++)
        {
            view.Vectors.CopyRow(sample.Vertices[i], row);
            float length = view.Metric == Metric.Cosine ? MathF.Sqrt(row.Sum(x => x * x)) : 1;
            Assert.All(Enumerable.Range(0, sample.Dim), d => Assert.Equal(row[d] / length, sample.Vectors[i * sample.Dim + d], 1e-5));
        }

        for (int record = 0; record < sample.RecordCount; record++)
        {
            int at = sample.CandidateStarts[record];
            fixed (float* x = sample.Queries.AsSpan(sample.RecordQueries[record] * sample.Dim))
            fixed (float* y = sample.Vectors.AsSpan(sample.Candidates[at] * sample.Dim))
            {
                float distance = PairDistances.Between(view.Metric, ElementType.Float32, (byte*)x, (byte*)y, sample.Dim);
                Assert.Equal(distance, sample.Distances[at], Math.Max(1e-5, Math.Abs(distance) * 1e-3));
            }
        }
    }
}
