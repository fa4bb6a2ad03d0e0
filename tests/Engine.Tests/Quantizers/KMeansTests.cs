using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Quantizers;

public unsafe class KMeansTests
{
    private static readonly float[] Corners = [0, 0, 100, 0, 0, 100, 100, 100, 50, 300];

    [Fact]
    public void Separated_blobs_are_found()
    {
        using VectorBlock points = TestVectors.Blobs(Corners, 2, each: 200, radius: 1f, seed: 5);

        KMeansResult result = KMeans.Train(points, Metric.L2, 5, new KMeansOptions(), Work.Quiet);

        for (int corner = 0; corner < 5; corner++)
        {
            double nearest = Enumerable.Range(0, 5).Min(k => TestVectors.SquaredDistance(
                Corners.AsSpan(corner * 2, 2), result.Centroids.AsSpan(k * 2, 2)));
            Assert.InRange(nearest, 0, 0.1);
        }
    }

    [Theory]
    [InlineData(8, 16)]
    [InlineData(3, 50)]
    [InlineData(40, 7)]
    public void The_objective_never_rises_and_ends_as_that_of_the_centroids(int dim, int k)
    {
        using VectorBlock points = TestVectors.Correlated(700, dim, 6);

        KMeansResult result = KMeans.Train(points, Metric.L2, k, new KMeansOptions { Tolerance = 0 }, Work.Quiet);

        Assert.True(result.Objective.Count > 3);
        for (int i = 1; i < result.Objective.Count; i++)
        {
            Assert.InRange(result.Objective[i], 0, result.Objective[i - 1] * (1 + 1e-6));
        }

        double dull = Enumerable.Range(0, 700).Sum(i => Enumerable.Range(0, k).Min(c =>
            TestVectors.SquaredDistance(TestVectors.Row(points, i), result.Centroids.AsSpan(c * dim, dim))));
        Assert.Equal(1.0, result.Objective[^1] / dull, 1e-5);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void The_number_of_threads_changes_nothing(int threads)
    {
        using VectorBlock points = TestVectors.Correlated(20_000, 40, 7); // several chunks of points, of means and of seeding
        var options = new KMeansOptions { Iterations = 4 };

        KMeansResult one = KMeans.Train(points, Metric.L2, 60, options, Work.Quiet);
        KMeansResult many = KMeans.Train(points, Metric.L2, 60, options, new Work(threads));

        Assert.Equal(one.Centroids, many.Centroids);
        Assert.Equal(one.Objective, many.Objective);
    }

    [Fact]
    public void Another_seed_gives_other_centroids()
    {
        using VectorBlock points = TestVectors.Correlated(500, 8, 8);

        float[] first = KMeans.Train(points, Metric.L2, 20, new KMeansOptions { Seed = 1 }, Work.Quiet).Centroids;
        float[] second = KMeans.Train(points, Metric.L2, 20, new KMeansOptions { Seed = 2 }, Work.Quiet).Centroids;

        Assert.NotEqual(first, second);
    }

    [Fact]
    public void An_empty_cluster_takes_the_farthest_point()
    {
        using FloatRows rows = Rows([0, 1, 2, 3, 50], 1);
        using var lloyd = new Lloyd(rows, [1f, 1000f], 2); // nothing is near 1000

        lloyd.Assign(Work.Quiet);
        Assert.Equal([0, 0, 0, 0, 0], lloyd.Labels);
        lloyd.MoveToMeans(Work.Quiet);

        Assert.Equal([1.5f, 50f], lloyd.Centroids);
    }

    [Fact]
    public void Of_equally_far_points_the_lower_fills_the_empty_cluster()
    {
        using FloatRows rows = Rows([-5, 5, 0], 1);
        using var lloyd = new Lloyd(rows, [0f, 1000f], 2);

        lloyd.Assign(Work.Quiet);
        lloyd.MoveToMeans(Work.Quiet);

        Assert.Equal([1, 0, 0], lloyd.Labels);
    }

    [Fact]
    public void More_centroids_than_distinct_points_leave_no_error_and_no_NaN()
    {
        using VectorBlock points = VectorBlock.Of([1, 2, 3, 4, 1, 2, 3, 4, 5, 6], 2);

        KMeansResult result = KMeans.Train(points, Metric.L2, 7, new KMeansOptions(), Work.Quiet);

        Assert.Equal(0, result.Objective[^1]);
        Assert.All(result.Centroids, value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void No_more_points_are_used_than_allowed()
    {
        using VectorBlock points = TestVectors.Correlated(1000, 4, 9);

        KMeansResult result = KMeans.Train(points, Metric.L2, 3, new KMeansOptions { MaxPointsPerCentroid = 50 }, Work.Quiet);

        Assert.Equal(150, result.PointsUsed);
    }

    [Fact]
    public void A_sample_is_even_without_repeats_and_ascending()
    {
        var hits = new int[20];
        for (ulong seed = 0; seed < 2000; seed++)
        {
            long[] chosen = FloatRows.Choose(20, 5, seed);
            Assert.Equal(5, chosen.Distinct().Count());
            Assert.Equal(chosen.Order(), chosen);
            foreach (long row in chosen)
            {
                hits[row]++;
            }
        }

        Assert.All(hits, count => Assert.InRange(count, 400, 600)); // 500 expected, standard deviation 19
    }

    [Fact]
    public void Cosine_clusters_directions()
    {
        using VectorBlock points = VectorBlock.Of([1, 0, 100, 1, 0, 3, 1, 500], 2);

        KMeansResult result = KMeans.Train(points, Metric.Cosine, 2, new KMeansOptions(), Work.Quiet);

        Assert.InRange(result.Objective[^1], 0, 1e-3);
    }

    [Fact]
    public void A_component_that_is_not_finite_is_refused_with_its_place()
    {
        using VectorBlock points = VectorBlock.Of([1, 2, 3, float.NaN], 2);

        var refused = Assert.Throws<ProblemException>(() => KMeans.Train(points, Metric.L2, 1, new KMeansOptions(), Work.Quiet));

        Assert.Equal(ProblemCode.InvalidComponent, refused.Problem.Code);
        Assert.Contains("vector 1, component 1", refused.Problem.What);
    }

    [Fact]
    public void It_can_be_cancelled()
    {
        using VectorBlock points = TestVectors.Correlated(500, 8, 8);
        var cancelled = new Work(2, null, new CancellationToken(canceled: true));

        Assert.Throws<OperationCanceledException>(() => KMeans.Train(points, Metric.L2, 20, new KMeansOptions(), cancelled));
    }

    private static FloatRows Rows(float[] values, int dim)
    {
        var rows = new FloatRows(values.Length / dim, dim);
        values.CopyTo(new Span<float>(rows.First, values.Length));
        return rows;
    }
}
