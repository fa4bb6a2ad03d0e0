using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Cluster;
using Signpost.Engine.Kernels;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Shards;

/// <summary>Collections of strange shapes, from vectors to answers: with a pool as large as a shard every vector is found, in order.</summary>
public sealed class EdgeCaseTests : ShardTest
{
    private static readonly BuildOptions Plain = Options();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 4)]
    [InlineData(5, 64)]
    public void A_few_vectors_in_any_number_of_shards_are_all_found(int count, int shards)
    {
        using VectorBlock vectors = Numbers(count, 6, ElementType.Float32);
        FindsAll(vectors, Codes(Plain with { Shards = shards }, m: 3, k: 16));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 3)]
    [InlineData(33, 33)]
    [InlineData(129, 65)]
    public void Any_dimension_and_an_odd_number_of_half_byte_codes_will_do(int dim, int m)
    {
        foreach (ElementType type in Enum.GetValues<ElementType>())
        {
            using VectorBlock vectors = Numbers(70, dim, type);
            FindsAll(vectors, Codes(Plain with { Shards = 2 }, m, k: 16));
        }
    }

    [Theory]
    [InlineData(Metric.L2)]
    [InlineData(Metric.InnerProduct)]
    [InlineData(Metric.Cosine)]
    public void Vectors_that_are_all_equal_are_found_in_the_order_of_their_ids(Metric metric)
    {
        using VectorBlock vectors = Numbers(3000, 5, ElementType.Int8, _ => 3);
        FindsAll(vectors, Codes(Plain with { Shards = 2, Metric = metric }, m: 5, k: 256));
    }

    [Theory]
    [InlineData(Metric.InnerProduct, 1e3f)]
    [InlineData(Metric.InnerProduct, 1e-3f)]
    [InlineData(Metric.Cosine, 1e-15f)]
    [InlineData(Metric.Cosine, 1e15f)]
    [InlineData(Metric.L2, 1e17f)]
    public void Short_long_and_opposite_vectors_are_found(Metric metric, float scale)
    {
        using VectorBlock vectors = Numbers(200, 9, ElementType.Float32, random => scale * (float)random.NextGaussian());
        FindsAll(vectors, Plain with { Metric = metric });
    }

    [Fact]
    public void Distances_beyond_float32_are_infinite_and_fail_nothing()
    {
        using VectorBlock vectors = Numbers(100, 3, ElementType.Float32, random => random.Next(2) == 0 ? 3e38f : -3e38f);
        foreach (Metric metric in (Metric[])[Metric.L2, Metric.InnerProduct])
        {
            Build(vectors, Codes(Plain with { Metric = metric, Overwrite = true }, m: 2, k: 16));
            using Collection collection = Open();
            Assert.Equal(100, Ids(collection, vectors, new SearchParameters(100, 100)).Distinct().Count());
        }
    }

    [Fact]
    public void A_pool_far_beyond_the_shard_takes_no_more_memory_than_one_of_its_size()
    {
        using VectorBlock vectors = Numbers(10, 4, ElementType.UInt8);
        Build(vectors, Codes(Plain, m: 2, k: 16));
        using Collection collection = Open();
        foreach (SearchMode mode in Enum.GetValues<SearchMode>())
        {
            Assert.Equal(10, Ids(collection, vectors, new SearchParameters(20, int.MaxValue, mode, int.MaxValue)).Length);
        }
    }

    [Theory]
    [InlineData(ElementType.UInt8, 0.2f)]
    [InlineData(ElementType.Float16, 1e-9f)]
    [InlineData(ElementType.Float32, 1e-30f)]
    [InlineData(ElementType.Float32, 1e30f)]
    [InlineData(ElementType.Float32, 0f)]
    public void A_query_that_has_no_direction_once_it_is_stored_is_refused_under_cosine(ElementType type, float component)
    {
        using var query = new Query(3, type, Metric.Cosine);
        Assert.Equal(ProblemCode.ZeroVector, query.Set([component, component, 0])?.Code);
        using var other = new Query(3, type, Metric.L2);
        Assert.Null(other.Set([component, component, 0]));
    }

    [Theory]
    [InlineData(1e-30f)]
    [InlineData(1e30f)]
    public void A_vector_whose_squared_length_leaves_float32_is_refused_under_cosine(float component)
    {
        using VectorBlock vectors = VectorBlock.Of([1, 2, component, component], 2);
        Problem? problem = new BuildInput(vectors).Inspect(Metric.Cosine, Work.Quiet).Problem;
        Assert.Equal((ProblemCode.ZeroVector, "vector of row 1"), (problem?.Code, problem?.What));
    }

    [Fact]
    public void A_deadline_beyond_what_the_clock_counts_is_no_deadline()
    {
        Assert.False(Deadline.After(TimeSpan.MaxValue).Reached);
        Assert.True(Deadline.After(TimeSpan.MaxValue).Left > TimeSpan.FromDays(365));
        Assert.True(Deadline.After(TimeSpan.Zero).Reached);
        Assert.True(Deadline.After(TimeSpan.MinValue).Reached);
    }

    private static BuildOptions Codes(BuildOptions options, int m, int k) =>
        options with { Quantizer = QuantizerKind.Pq, Codes = new QuantizerOptions { M = m, K = k, TrainingVectors = 256 } };

    private static unsafe VectorBlock Numbers(int count, int dim, ElementType type, Func<Seeded, float>? next = null)
    {
        VectorBlock vectors = VectorBlock.Allocate(count, dim, type);
        var row = new float[dim];
        for (int i = 0; i < count; i++)
        {
            for (int d = 0; d < dim; d++)
            {
                var random = new Seeded((ulong)i + 1, (ulong)d);
                row[d] = next?.Invoke(random) ?? 1 + random.Next(100);
            }

            Assert.Null(Elements.FromFloat(row, type, new Span<byte>(vectors.Row(i), vectors.RowBytes)));
        }

        return vectors;
    }

    private static ulong[] Ids(Collection collection, VectorBlock queries, SearchParameters parameters) =>
        [.. Search(collection, queries, parameters).Select(hit => hit.Id)];

    /// <summary>The answer to row 0.</summary>
    private static Hit[] Search(Collection collection, VectorBlock queries, SearchParameters parameters)
    {
        using Query query = collection.NewQuery();
        query.SetRow(queries.RowSpan(0));
        var hits = new Hit[parameters.K];
        SearchAnswer answer = EmbeddedCluster.Over(collection).Search(query, new SearchRequest(parameters), Deadline.None, hits).OrThrow();
        Assert.True(answer.Coverage.IsFull);
        return hits[..answer.Count];
    }

    private void FindsAll(VectorBlock vectors, BuildOptions options)
    {
        int count = (int)vectors.Count;
        Build(vectors, options with { Overwrite = true });
        using Collection collection = Open();
        Assert.Equal(Truth(vectors, options.Metric), Search(collection, vectors, new SearchParameters(count + 7, count + 9)));
        if (options.Quantizer is not null)
        {
            Assert.Equal(count, Ids(collection, vectors, new SearchParameters(count + 7, count + 9, SearchMode.Codes)).Distinct().Count());
            Assert.Equal(Truth(vectors, options.Metric), Search(collection, vectors, new SearchParameters(count + 7, count + 9, SearchMode.CodesRerank)));
        }
    }

    private static unsafe Hit[] Truth(VectorBlock vectors, Metric metric) =>
        [.. Enumerable.Range(0, (int)vectors.Count)
            .Select(i => new Hit((ulong)i, PairDistances.Between(metric, vectors.Type, vectors.Row(0), vectors.Row(i), vectors.Dim))).Order()];
}
