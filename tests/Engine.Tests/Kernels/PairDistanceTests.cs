using Signpost.Engine.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Kernels;

public sealed class NativePairDistanceTests() : PairDistanceTests(new KernelsOf<Native>());

public sealed class Max256PairDistanceTests() : PairDistanceTests(new KernelsOf<Max256>());

public sealed class Max128PairDistanceTests() : PairDistanceTests(new KernelsOf<Max128>());

public sealed class ScalarOnlyPairDistanceTests() : PairDistanceTests(new KernelsOf<ScalarOnly>());

/// <summary>The distance of two vectors against the dull reference, in one width.</summary>
public abstract unsafe class PairDistanceTests
{
    private readonly IKernels _kernels;

    private protected PairDistanceTests(IKernels kernels) => _kernels = kernels;

    private static IEnumerable<int> Dims => Enumerable.Range(0, 257).Concat([384, 420, 784, 960, 1536]);

    [Theory]
    [CombinatorialMetricsAndTypes]
    public void Every_length_gives_the_distance_of_the_reference(Metric metric, ElementType type)
    {
        using var x = new GuardedMemory(1536 * 4);
        using var y = new GuardedMemory(1536 * 4);
        foreach (int dim in Dims)
        {
            // One vector against each guard page, so that a read before or behind a vector ends the test run.
            byte* xs = x.BeforeEnd(dim * type.Bytes());
            byte* ys = y.Start;
            Components.Fill(type, xs, dim, 1);
            Components.Fill(type, ys, dim, 2);
            Components.AssertNear(metric, type, xs, ys, dim, _kernels.Between(metric, type, xs, ys, dim), $"dim {dim}");
            Components.AssertNear(metric, type, ys, xs, dim, _kernels.Between(metric, type, ys, xs, dim), $"dim {dim}, swapped");
        }
    }

    [Theory]
    [CombinatorialMetricsAndTypes]
    public void Vectors_need_no_alignment(Metric metric, ElementType type)
    {
        byte* memory = stackalloc byte[2048];
        for (int offset = 1; offset < 64; offset++)
        {
            byte* x = memory + offset;
            byte* y = memory + 1024 + 3 * offset;
            Components.Fill(type, x, 100, 3);
            Components.Fill(type, y, 100, 4);
            Components.AssertNear(metric, type, x, y, 100, _kernels.Between(metric, type, x, y, 100), $"offset {offset}");
        }
    }

    [Theory]
    [InlineData(ElementType.UInt8, 0, 255)]
    [InlineData(ElementType.UInt8, 255, 255)]
    [InlineData(ElementType.Int8, 0x80, 0x7F)]
    [InlineData(ElementType.Int8, 0x80, 0x80)]
    public void The_largest_integers_do_not_overflow(ElementType type, byte xValue, byte yValue)
    {
        byte[] xs = new byte[140_000];
        byte[] ys = new byte[140_000];
        Array.Fill(xs, xValue);
        Array.Fill(ys, yValue);
        fixed (byte* x = xs, y = ys)
        {
            foreach (int dim in new[] { 16_384, 16_385, 33_025, 40_000, 66_051, 140_000 })
            {
                foreach (Metric metric in Enum.GetValues<Metric>())
                {
                    Components.AssertNear(metric, type, x, y, dim, _kernels.Between(metric, type, x, y, dim), $"{metric}, dim {dim}");
                }
            }
        }
    }

    [Fact]
    public void Every_finite_half_is_widened_exactly()
    {
        const int Dim = 37; // some components in full vectors, some in the rest
        var x = stackalloc Half[Dim];
        var y = stackalloc Half[Dim];
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            Half value = BitConverter.UInt16BitsToHalf((ushort)bits);
            if (!Half.IsFinite(value))
            {
                continue;
            }

            int at = bits % Dim;
            new Span<Half>(x, Dim).Clear();
            new Span<Half>(y, Dim).Clear();
            x[at] = value;
            y[at] = (Half)1;
            Assert.Equal(-(float)value, _kernels.Between(Metric.InnerProduct, ElementType.Float16, (byte*)x, (byte*)y, Dim));
        }
    }

    [Theory]
    [InlineData(ElementType.Float32)]
    [InlineData(ElementType.Float16)]
    [InlineData(ElementType.UInt8)]
    [InlineData(ElementType.Int8)]
    public void A_zero_vector_is_at_cosine_distance_one(ElementType type)
    {
        byte* x = stackalloc byte[400];
        byte* zero = stackalloc byte[400];
        Components.Fill(type, x, 100, 5);
        new Span<byte>(zero, 400).Clear();
        Assert.Equal(1f, _kernels.Between(Metric.Cosine, type, x, zero, 100));
        Assert.Equal(1f, _kernels.Between(Metric.Cosine, type, zero, zero, 100));
    }

    [Fact]
    public void Cosine_survives_lengths_whose_product_leaves_float32()
    {
        float* x = stackalloc float[] { 1e18f, 0, 1e18f };
        float* y = stackalloc float[] { 1e18f, 0, 0 };
        Assert.Equal(1 - Math.Sqrt(0.5), _kernels.Between(Metric.Cosine, ElementType.Float32, (byte*)x, (byte*)y, 3), Components.FloatTolerance);
    }

    [Fact]
    public void An_unknown_metric_or_type_is_refused()
    {
        byte* x = stackalloc byte[4];
        bool refused = false;
        try
        {
            _kernels.Between((Metric)9, ElementType.UInt8, x, x, 4);
        }
        catch (ArgumentOutOfRangeException)
        {
            refused = true;
        }

        Assert.True(refused);
    }
}
