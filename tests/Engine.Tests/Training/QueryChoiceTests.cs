using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Training;

public sealed class QueryChoiceTests
{
    [Fact]
    public void Training_and_held_out_queries_of_a_shard_are_disjoint_and_its_own_vectors()
    {
        using VectorBlock vectors = Sets.Clustered(500, 8, ElementType.UInt8, 3);
        (QuerySet training, QuerySet heldOut) = QueryChoice.OfShard(vectors, 300, 100, 1, 0);
        uint[] all = [.. training.Own, .. heldOut.Own];

        Assert.Equal((300, 100, 400), (training.Count, heldOut.Count, all.Distinct().Count()));
        Assert.All(Enumerable.Range(0, 100), i => Assert.Equal(vectors.RowSpan(heldOut.Own[i]), heldOut.Vectors.RowSpan(i)));
        Assert.Equal(training.Own, QueryChoice.OfShard(vectors, 300, 100, 1, 0).Training.Own);
        Assert.NotEqual(training.Own.ToArray(), QueryChoice.OfShard(vectors, 300, 100, 2, 0).Training.Own.ToArray());
        Assert.NotEqual(training.Own.ToArray(), QueryChoice.OfShard(vectors, 300, 100, 1, 1).Training.Own.ToArray());
    }

    [Fact]
    public void Too_few_vectors_are_shared_in_proportion()
    {
        using VectorBlock vectors = Sets.Clustered(100, 8, ElementType.UInt8, 3);
        (QuerySet training, QuerySet heldOut) = QueryChoice.OfShard(vectors, 300, 100, 1, 0);

        Assert.Equal((75, 25), (training.Count, heldOut.Count));
        Assert.Empty(training.Own.ToArray().Intersect(heldOut.Own.ToArray()));
    }

    [Fact]
    public void Shards_get_queries_in_proportion_to_their_size()
    {
        Assert.Equal([5, 3, 2, 0], QueryChoice.Shares([500, 250, 249, 1], 10));
        Assert.Equal([4, 3, 3], QueryChoice.Shares([7, 7, 7], 10));
        Assert.Equal([0, 0], QueryChoice.Shares([0, 0], 10));
        Assert.Equal(1 << 20, QueryChoice.Shares([long.MaxValue / 4, long.MaxValue / 3], 1 << 20).Sum());
    }

    [Fact]
    public void Queries_of_a_block_are_dealt_to_shards_and_are_nobodys_own()
    {
        using VectorBlock queries = Sets.Clustered(90, 8, ElementType.UInt8, 3);
        using QueryChoice choice = QueryChoice.OfBlock(queries, Metric.L2, [200, 100], new SamplingOptions { Queries = 60, HeldOut = 30 }).OrThrow();

        Assert.Equal([40, 20], choice.Training.Select(set => set.Count));
        Assert.Equal([20, 10], choice.HeldOut.Select(set => set.Count));
        Assert.All(choice.Training.Concat(choice.HeldOut), set => Assert.All(set.Own.ToArray(), own => Assert.Equal(QuerySet.Outside, own)));
        string[] rows = [.. choice.Training.Concat(choice.HeldOut).SelectMany(set => Enumerable.Range(0, set.Count).Select(i => Convert.ToHexString(set.Vectors.RowSpan(i))))];
        Assert.Equal(Enumerable.Range(0, 90).Select(i => Convert.ToHexString(queries.RowSpan(i))).Order(), rows.Order());
    }

    [Fact]
    public void Queries_that_cannot_be_searched_for_are_refused()
    {
        SamplingOptions options = new();
        Assert.Equal(ProblemCode.InvalidArgument, QueryChoice.OfBlock(VectorBlock.Of([1], 1), Metric.L2, [1], options).Problem?.Code);
        Assert.Equal(ProblemCode.InvalidComponent, QueryChoice.OfBlock(VectorBlock.Of([1, float.NaN], 1), Metric.L2, [1], options).Problem?.Code);
        Assert.Equal(ProblemCode.ZeroVector, QueryChoice.OfBlock(VectorBlock.Of([1, 0], 1), Metric.Cosine, [1], options).Problem?.Code);
        Assert.True(QueryChoice.OfBlock(VectorBlock.Of([1, 0], 1), Metric.L2, [1], options).Ok);
    }
}
