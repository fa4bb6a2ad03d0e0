using Signpost.Engine.Base;
using Signpost.Engine.Kernels;

namespace Signpost.Engine.Tests.Kernels;

public class Int16MatrixTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 31)]
    [InlineData(4, 32)]
    [InlineData(5, 33)]
    [InlineData(37, 100)]
    [InlineData(96, 784)]
    [InlineData(64, 785, 5)]
    [InlineData(130, 63, 3)]
    [InlineData(7, 9, 100)]
    public void A_product_is_as_right_as_its_bound_and_the_same_in_every_width(int rows, int dim, int onlyOneOf = 1)
    {
        var random = new Seeded(7, (ulong)dim);
        float[] matrix = [.. Enumerable.Range(0, rows * dim).Select(_ => (float)random.NextGaussian())];
        float[] vector = [.. Enumerable.Range(0, dim).Select(d => d % onlyOneOf > 0 ? 0 : (float)(100 * random.NextGaussian()))];
        var product = new Int16Matrix(matrix, dim);
        float[] native = new float[rows], max256 = new float[rows], max128 = new float[rows], scalar = new float[rows];

        product.Multiply(vector, native);
        product.Multiply<Max256>(vector, max256);
        product.Multiply<Max128>(vector, max128);
        product.Multiply<ScalarOnly>(vector, scalar);

        for (int i = 0; i < rows; i++)
        {
            float[] row = matrix[(i * dim)..((i + 1) * dim)];
            double exact = row.Zip(vector, (a, b) => (double)a * b).Sum();
            double bound = Norm(row) * Norm(vector) * (Math.Sqrt(dim) + 1) / 32768;
            Assert.InRange(native[i], exact - bound, exact + bound);
        }

        Assert.All([max256, max128, scalar], other => Assert.Equal(native, other));
    }

    [Fact]
    public void Rows_and_vectors_of_zeros_of_one_large_component_and_of_equal_ones_stay_in_range()
    {
        const int Dim = 4096;
        float[] zeros = new float[Dim], large = new float[Dim], equal = [.. Enumerable.Repeat(-1e15f, Dim)];
        large[7] = -3e30f;
        var matrix = new Int16Matrix([.. zeros, .. large, .. equal], Dim);
        float[] product = new float[3];

        matrix.Multiply(zeros, product);
        Assert.Equal([0f, 0f, 0f], product);

        matrix.Multiply(equal, product);
        Assert.Equal(0f, product[0]);
        Assert.Equal(1, product[2] / (1e30 * Dim), 1e-3);

        float[] one = new float[Dim];
        one[7] = 2;
        matrix.Multiply(one, product);
        Assert.Equal(1, product[1] / -6e30, 1e-4);
    }

    private static double Norm(float[] values) => Math.Sqrt(values.Sum(value => (double)value * value));
}
