using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Search;

/// <summary>Exact search against sorting all distances.</summary>
public sealed unsafe class ExactSearchTests
{
    [Theory]
    [InlineData(ElementType.UInt8, Metric.L2, 1000, 3, 10)]
    [InlineData(ElementType.UInt8, Metric.L2, 700, 500, 7)] // more than one block of queries
    [InlineData(ElementType.Int8, Metric.InnerProduct, 300, 20, 300)] // everybody
    [InlineData(ElementType.Int8, Metric.Cosine, 257, 20, 5)]
    [InlineData(ElementType.UInt8, Metric.L2, 1, 4, 1)]
    [InlineData(ElementType.UInt8, Metric.L2, 4000, 0, 1)]
    public void Ties_and_duplicates_are_ordered_by_id(ElementType type, Metric metric, int count, int queryCount, int k)
    {
        // Two components of four values each: every distance occurs many times.
        using VectorBlock vectors = SmallIntegers(type, count, 1);
        using VectorBlock queries = SmallIntegers(type, queryCount, 2);
        foreach (int threads in new[] { 1, 3 })
        {
            Assert.Equal(Sorted(vectors, queries, metric, k), TopK(vectors, queries, metric, k, new Work(threads)));
        }
    }

    [Theory]
    [InlineData(ElementType.Float32, Metric.L2)]
    [InlineData(ElementType.Float32, Metric.InnerProduct)]
    [InlineData(ElementType.Float32, Metric.Cosine)]
    [InlineData(ElementType.Float16, Metric.L2)]
    [InlineData(ElementType.UInt8, Metric.Cosine)]
    public void Every_type_finds_the_neighbours_that_sorting_finds(ElementType type, Metric metric)
    {
        using VectorBlock vectors = Random(type, 3000, 24, 3);
        using VectorBlock queries = Random(type, 30, 24, 4);
        Neighbour[] want = Sorted(vectors, queries, metric, 10);
        Neighbour[] got = TopK(vectors, queries, metric, 10, new Work(2));
        Assert.Equal(want.Select(n => n.Id), got.Select(n => n.Id));
        Assert.All(want.Zip(got), pair => Assert.Equal(pair.First.Distance, pair.Second.Distance, 1e-4));
        Assert.Equal(got, TopK(vectors, queries, metric, 10, Work.Quiet));
    }

    [Fact]
    public void A_query_has_the_same_answer_alone_as_among_others()
    {
        using VectorBlock vectors = Random(ElementType.Float32, 2000, 50, 5);
        using VectorBlock queries = Random(ElementType.Float32, 9, 50, 6);
        Neighbour[] together = TopK(vectors, queries, Metric.L2, 5, new Work(2));
        Assert.Equal(together[40..], TopK(vectors, queries.Slice(8, 1), Metric.L2, 5, new Work(4)));
    }

    [Fact]
    public void A_vector_at_no_distance_is_nobodys_neighbour_and_one_at_infinity_is_the_last()
    {
        using VectorBlock vectors = VectorBlock.Of([float.NaN, 0, float.MaxValue, 0, 1, 1], 2);
        using VectorBlock query = VectorBlock.Of([0, 0], 2);
        Assert.Equal(
            [new Neighbour(2, 2), new Neighbour(1, float.PositiveInfinity), new Neighbour(uint.MaxValue, float.PositiveInfinity)],
            TopK(vectors, query, Metric.L2, 3, Work.Quiet));
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_refused()
    {
        using VectorBlock vectors = VectorBlock.Allocate(3, 4, ElementType.UInt8);
        using VectorBlock otherType = VectorBlock.Allocate(1, 4, ElementType.Int8);
        using VectorBlock otherDim = VectorBlock.Allocate(1, 5, ElementType.UInt8);
        AssertRefused(ProblemCode.InvalidArgument, vectors, otherType, 1);
        AssertRefused(ProblemCode.WrongDimension, vectors, otherDim, 1);
        AssertRefused(ProblemCode.InvalidArgument, vectors, vectors, 0);
        AssertRefused(ProblemCode.InvalidArgument, vectors, vectors, 4);
    }

    [Fact]
    public void A_cancelled_search_ends()
    {
        using VectorBlock vectors = Random(ElementType.UInt8, 100, 8, 7);
        var work = new Work(1, null, new CancellationToken(true));
        Assert.Throws<OperationCanceledException>(() => TopK(vectors, vectors, Metric.L2, 1, work));
    }

    private static void AssertRefused(ProblemCode code, VectorBlock vectors, VectorBlock queries, int k) =>
        Assert.Equal(code, Assert.Throws<ProblemException>(() => TopK(vectors, queries, Metric.L2, k, Work.Quiet)).Problem.Code);

    private static Neighbour[] TopK(VectorBlock vectors, VectorBlock queries, Metric metric, int k, Work work)
    {
        var results = new Neighbour[queries.Count * k];
        ExactSearch.TopK(vectors, queries, metric, k, work, results);
        return results;
    }

    private static Neighbour[] Sorted(VectorBlock vectors, VectorBlock queries, Metric metric, int k)
    {
        var results = new List<Neighbour>();
        float[] row = new float[vectors.Count];
        for (int q = 0; q < queries.Count; q++)
        {
            fixed (float* distances = row)
            {
                Pairwise.Distances(
                    metric, vectors.Type, queries.Row(q), queries.StrideBytes, 1, vectors.First, vectors.StrideBytes, (int)vectors.Count,
                    vectors.Dim, distances, vectors.Count);
            }

            results.AddRange(row.Select((distance, id) => new Neighbour((uint)id, distance)).Order().Take(k));
        }

        return [.. results];
    }

    private static VectorBlock SmallIntegers(ElementType type, int count, ulong seed)
    {
        var random = new Seeded(seed, 0);
        VectorBlock block = VectorBlock.Allocate(count, 2, type);
        for (int i = 0; i < 2 * count; i++)
        {
            block.First[i] = (byte)(1 + random.Next(4));
        }

        return block;
    }

    private static VectorBlock Random(ElementType type, int count, int dim, ulong seed)
    {
        VectorBlock block = VectorBlock.Allocate(count, dim, type);
        for (int i = 0; i < count; i++)
        {
            Kernels.Components.Fill(type, block.Row(i), dim, seed + 100 * (ulong)i);
        }

        return block;
    }
}
