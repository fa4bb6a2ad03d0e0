using Signpost.Bench.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Kernels;

/// <summary>Every benchmark runs, and its variants compute the same.</summary>
public sealed class BenchmarkTests
{
    [Fact]
    public void One_to_one_gives_the_same_in_every_width()
    {
        using var benchmark = new OneToOneBenchmark { Metric = Metric.L2, Type = ElementType.Int8, Dim = 50 };
        benchmark.Setup();
        Assert.True(benchmark.Scalar() > 0);
        Assert.Equal(benchmark.Scalar(), benchmark.Bits128());
        Assert.Equal(benchmark.Scalar(), benchmark.Bits256());
        Assert.Equal(benchmark.Scalar(), benchmark.Native());
    }

    [Fact]
    public void One_to_many_gives_the_same_as_scalar_code()
    {
        using var benchmark = new OneToManyBenchmark { Type = ElementType.UInt8, Dim = 20, Count = 100 };
        benchmark.Setup();
        Assert.True(benchmark.Scalar() > 0);
        Assert.Equal(benchmark.Scalar(), benchmark.Native());
    }

    [Fact]
    public void Tiles_give_the_same_as_pairs()
    {
        using var benchmark = new PairwiseBenchmark { Metric = Metric.L2, Type = ElementType.UInt8, Dim = 20, Count = 50 };
        benchmark.Setup();
        double want = benchmark.OneByOne();
        Assert.True(want > 0);
        Assert.Equal(want, benchmark.Tiled());
    }

    [Fact]
    public void Codes_give_the_same_one_by_one_and_by_four()
    {
        using var benchmark = new AdcBenchmark { M = 18 };
        benchmark.Setup();
        Assert.True(benchmark.Naive256() > 0 && benchmark.Naive16() > 0);
        Assert.Equal(benchmark.Naive256(), benchmark.One256());
        Assert.Equal(benchmark.Naive256(), benchmark.Four256());
        Assert.Equal(benchmark.Naive16(), benchmark.One16());
        Assert.Equal(benchmark.Naive16(), benchmark.Four16());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    public void Matrix_products_give_the_same_as_three_loops(int rows)
    {
        using var benchmark = new MatrixProductBenchmark { Rows = rows, Dim = 20 };
        benchmark.Setup();
        double want = benchmark.Naive();
        Assert.True(want != 0);
        Assert.Equal(want, benchmark.Tiled());
    }

    [Fact]
    public void A_step_of_rpq_costs_the_same_with_any_number_of_threads()
    {
        var losses = new List<double>();
        foreach (int threads in new[] { 1, 2 })
        {
            using var benchmark = new RpqStepBenchmark { Dim = 20, M = 3, Anchors = 8, Vertices = 60, Candidates = 5, Threads = threads };
            benchmark.Setup();
            losses.Add(benchmark.Step());
        }

        Assert.True(losses[0] > 0);
        Assert.Equal(losses[0], losses[1]);
    }
}
