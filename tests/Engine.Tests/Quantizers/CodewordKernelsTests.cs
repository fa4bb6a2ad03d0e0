using Signpost.Engine.Kernels;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Tests.Quantizers;

/// <summary>One suite, once per SIMD width.</summary>
public abstract unsafe class CodewordKernelsTests
{
    private readonly NearestKernel _nearest;
    private readonly ValuesKernel _distances;
    private readonly ValuesKernel _products;

    private protected CodewordKernelsTests(NearestKernel nearest, ValuesKernel distances, ValuesKernel products)
    {
        _nearest = nearest;
        _distances = distances;
        _products = products;
    }

    private protected delegate void NearestKernel(
        float* rows, long rowStride, int rowCount, float* panels, int k, int dim, int* nearest, float* distances);

    private protected delegate void ValuesKernel(float* row, float* panels, int k, int dim, float start, float* values);

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(5, 16, 4)]
    [InlineData(6, 17, 8)]
    [InlineData(7, 256, 7)]
    [InlineData(33, 100, 3)]
    [InlineData(9, 700, 300)] // several passes over the codebook
    public void Nearest_is_the_dull_argmin_with_ties_to_the_lower_codeword(int rowCount, int k, int dim)
    {
        float[] rows = TestVectors.Whole(rowCount, dim, 2, 1);
        float[] codewords = TestVectors.Whole(k, dim, 2, 2);

        (int[] nearest, float[] distances) = Nearest(rows, codewords, dim);

        for (int i = 0; i < rowCount; i++)
        {
            double[] all = [.. Enumerable.Range(0, k).Select(c => Distance(rows, i, codewords, c, dim))];
            Assert.Equal(Array.IndexOf(all, all.Min()), nearest[i]);
            Assert.Equal(all.Min(), distances[i]);
        }
    }

    [Fact]
    public void A_row_with_a_NaN_gets_codeword_zero_and_its_neighbours_are_not_disturbed()
    {
        float[] rows = [0, 0, float.NaN, 0, 9, 9];
        float[] codewords = [5, 5, 0, 1, 9, 8];

        (int[] nearest, float[] distances) = Nearest(rows, codewords, 2);

        Assert.Equal([1, 0, 2], nearest);
        Assert.Equal([1, float.PositiveInfinity, 1], distances);
    }

    [Theory]
    [InlineData(16, 4)]
    [InlineData(256, 9)]
    [InlineData(48, 1)]
    public void Values_are_squared_distances_or_products_on_top_of_the_start(int k, int dim)
    {
        float[] row = TestVectors.Normal(1, dim, 3);
        float[] codewords = TestVectors.Normal(k, dim, 4);
        var panels = new float[CodewordKernels.PanelFloats(k, dim)];
        var distances = new float[k];
        var products = new float[k];
        fixed (float* x = row, p = panels, d = distances, q = products)
        {
            CodewordKernels.Pack(codewords, k, dim, p);
            _distances(x, p, k, dim, 0f, d);
            _products(x, p, k, dim, 0.5f, q);
        }

        for (int c = 0; c < k; c++)
        {
            Assert.Equal(Distance(row, 0, codewords, c, dim), distances[c], 1e-4);
            Assert.Equal(0.5 + TestVectors.Dot(row, codewords.AsSpan(c * dim, dim)), products[c], 1e-4);
        }
    }

    private (int[] Nearest, float[] Distances) Nearest(float[] rows, float[] codewords, int dim)
    {
        int k = codewords.Length / dim;
        int count = rows.Length / dim;
        var panels = new float[CodewordKernels.PanelFloats(k, dim)];
        var nearest = new int[count];
        var distances = new float[count];
        fixed (float* x = rows, p = panels, d = distances)
        fixed (int* n = nearest)
        {
            CodewordKernels.Pack(codewords, k, dim, p);
            _nearest(x, dim, count, p, k, dim, n, d);
        }

        return (nearest, distances);
    }

    private static double Distance(float[] rows, int i, float[] codewords, int c, int dim) =>
        TestVectors.SquaredDistance(rows.AsSpan(i * dim, dim), codewords.AsSpan(c * dim, dim));
}

public unsafe class CodewordKernelsNativeTests() : CodewordKernelsTests(
    CodewordKernels.Nearest<Native>, CodewordKernels.Values<SquaredL2, Native>, CodewordKernels.Values<InnerProduct, Native>);

public unsafe class CodewordKernelsMax256Tests() : CodewordKernelsTests(
    CodewordKernels.Nearest<Max256>, CodewordKernels.Values<SquaredL2, Max256>, CodewordKernels.Values<InnerProduct, Max256>);

public unsafe class CodewordKernelsMax128Tests() : CodewordKernelsTests(
    CodewordKernels.Nearest<Max128>, CodewordKernels.Values<SquaredL2, Max128>, CodewordKernels.Values<InnerProduct, Max128>);

public unsafe class CodewordKernelsScalarTests() : CodewordKernelsTests(
    CodewordKernels.Nearest<ScalarOnly>, CodewordKernels.Values<SquaredL2, ScalarOnly>, CodewordKernels.Values<InnerProduct, ScalarOnly>);
