using FsCheck;
using FsCheck.Fluent;
using Signpost.Engine.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Kernels;

public sealed class NativePairwiseTests() : PairwiseTests(new KernelsOf<Native>());

public sealed class Max256PairwiseTests() : PairwiseTests(new KernelsOf<Max256>());

public sealed class Max128PairwiseTests() : PairwiseTests(new KernelsOf<Max128>());

public sealed class ScalarOnlyPairwiseTests() : PairwiseTests(new KernelsOf<ScalarOnly>());

/// <summary>Blocks of vectors and matrices against the dull reference, in one width.</summary>
public abstract unsafe class PairwiseTests
{
    private const float Untouched = -12345;

    private readonly IKernels _kernels;

    private protected PairwiseTests(IKernels kernels) => _kernels = kernels;

    [Theory]
    [CombinatorialMetricsAndTypes]
    public void Every_shape_gives_the_distances_of_the_reference(Metric metric, ElementType type)
    {
        foreach (int dim in new[] { 0, 1, 2, 3, 15, 16, 17, 31, 32, 33, 96, 100, 128, 129, 255, 256, 257, 300, 784 })
        {
            AssertShape(metric, type, 7, 35, dim, 0);
        }

        foreach ((int xCount, int yCount) in new[] { (0, 3), (3, 0), (1, 1), (1, 32), (5, 31), (6, 33), (12, 64), (13, 65) })
        {
            AssertShape(metric, type, xCount, yCount, 20, 3);
        }
    }

    [Fact]
    public void Random_shapes_give_the_distances_of_the_reference()
    {
        Prop.ForAll(
            ArbMap.Default.ArbFor<(byte, byte, byte)>(),
            ArbMap.Default.ArbFor<byte>(),
            (shape, pair) =>
            {
                (Metric metric, ElementType type) = Components.AllPairs.ElementAt(pair % 12);
                AssertShape(metric, type, shape.Item1 % 20, shape.Item2 % 70, shape.Item3, pair % 5);
            }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [CombinatorialMetricsAndTypes]
    public void The_distance_of_a_to_b_is_that_of_b_to_a_bit_by_bit(Metric metric, ElementType type)
    {
        const int Count = 41;
        const int Dim = 300;
        using VectorBlock block = RandomBlock(type, Count, Dim, 0, 6);
        float[] distances = new float[Count * Count];
        fixed (float* to = distances)
        {
            _kernels.Distances(metric, type, block.First, block.StrideBytes, Count, block.First, block.StrideBytes, Count, Dim, to, Count);
        }

        for (int i = 0; i < Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                Assert.Equal(distances[i * Count + j], distances[j * Count + i]);
            }
        }
    }

    [Theory]
    [InlineData(ElementType.UInt8, 0, 255)]
    [InlineData(ElementType.Int8, 0x80, 0x7F)]
    public void The_largest_integers_do_not_overflow(ElementType type, byte xValue, byte yValue)
    {
        float* got = stackalloc float[4];
        foreach (int dim in new[] { 16_384, 16_385, 40_000 })
        {
            using VectorBlock block = VectorBlock.Allocate(2, dim, type);
            new Span<byte>(block.Row(0), dim).Fill(xValue);
            new Span<byte>(block.Row(1), dim).Fill(yValue);
            foreach (Metric metric in Enum.GetValues<Metric>())
            {
                _kernels.Distances(metric, type, block.First, dim, 2, block.First, dim, 2, dim, got, 2);
                for (int i = 0; i < 4; i++)
                {
                    Components.AssertNear(metric, type, block.Row(i / 2), block.Row(i % 2), dim, got[i], $"{metric}, dim {dim}, {i}");
                }
            }
        }
    }

    [Fact]
    public void More_rows_than_one_block_of_memory_holds_are_all_computed() => AssertShape(Metric.L2, ElementType.Float32, 800, 3, 1536, 0);

    [Fact]
    public void Zero_vectors_are_at_cosine_distance_one()
    {
        using VectorBlock block = VectorBlock.Allocate(2, 20, ElementType.UInt8);
        block.Row(1)[7] = 9;
        float* got = stackalloc float[4];
        _kernels.Distances(Metric.Cosine, ElementType.UInt8, block.First, 20, 2, block.First, 20, 2, 20, got, 2);
        Assert.Equal([1f, 1f, 1f, 0f], new ReadOnlySpan<float>(got, 4).ToArray());
    }

    [Theory]
    [InlineData(1, 5, 128)]
    [InlineData(3, 128, 128)]
    [InlineData(4, 33, 100)]
    [InlineData(70, 70, 784)]
    [InlineData(9, 9, 0)]
    [InlineData(25, 256, 8)]
    public void The_matrix_product_is_that_of_the_reference(int aRows, int bRows, int dim)
    {
        using VectorBlock a = RandomBlock(ElementType.Float32, aRows, Math.Max(dim, 1), 0, 7);
        using VectorBlock b = RandomBlock(ElementType.Float32, bRows, Math.Max(dim, 1), 0, 8);
        float[] c = new float[aRows * bRows + 1];
        c[^1] = Untouched;
        fixed (float* to = c)
        {
            _kernels.MultiplyTransposed((float*)a.First, aRows, (float*)b.First, bRows, dim, to);
        }

        for (int i = 0; i < aRows * bRows; i++)
        {
            byte* x = a.Row(i / bRows);
            byte* y = b.Row(i % bRows);
            Components.AssertNear(Metric.InnerProduct, ElementType.Float32, x, y, dim, -c[i], $"{i}");
        }

        Assert.Equal(Untouched, c[^1]);
    }

    private void AssertShape(Metric metric, ElementType type, int xCount, int yCount, int dim, int gap)
    {
        string shape = $"{metric} {type} {xCount} x {yCount} x {dim}, gap {gap}";
        int stride = Math.Max(dim, 1) * type.Bytes() + gap;
        using VectorBlock x = RandomBlock(type, xCount, Math.Max(dim, 1), gap, 9);
        using VectorBlock y = RandomBlock(type, yCount, Math.Max(dim, 1), gap, 10);
        int rowStride = yCount + 2;
        float[] got = new float[xCount * rowStride + 1];
        Array.Fill(got, Untouched);
        fixed (float* to = got)
        {
            _kernels.Distances(metric, type, x.First, stride, xCount, y.First, stride, yCount, dim, to, rowStride);
        }

        for (int i = 0; i < xCount; i++)
        {
            for (int j = 0; j < yCount; j++)
            {
                Components.AssertNear(metric, type, x.Row(i), y.Row(j), dim, got[i * rowStride + j], $"{shape} at {i}, {j}");
            }

            Assert.Equal(Untouched, got[i * rowStride + yCount]);
        }

        Assert.Equal(Untouched, got[^1]);
    }

    private static VectorBlock RandomBlock(ElementType type, int count, int dim, int gap, ulong seed)
    {
        int stride = dim * type.Bytes() + gap;
        var memory = new GuardedMemory(Math.Max(1, (long)count * stride - (count > 0 ? gap : 0)));
        byte* first = memory.BeforeEnd(Math.Max(0, (long)count * stride - gap)); // the last row ends at the guard page
        for (int i = 0; i < count; i++)
        {
            Components.Fill(type, first + (long)i * stride, dim, seed + 100 * (ulong)i);
        }

        return new VectorBlock(first, count, dim, type, stride, memory);
    }
}
