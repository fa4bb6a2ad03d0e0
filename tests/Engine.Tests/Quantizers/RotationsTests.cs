using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Tests.Quantizers;

public class RotationsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(130)]
    public void The_polar_factor_is_orthonormal_and_leaves_a_symmetric_positive_factor(int dim)
    {
        float[] matrix = TestVectors.Normal(dim, dim, (ulong)dim);

        float[] factor = Rotations.PolarFactor(matrix, dim, Work.Quiet)!;

        Assert.InRange(Rotations.Skewness(factor, dim, Work.Quiet), 0, 1e-4);
        double scale = Math.Sqrt(TestVectors.Dot(matrix, matrix));
        for (int i = 0; i < dim; i++)
        {
            for (int j = 0; j < dim; j++)
            {
                Assert.Equal(0, (Stretch(factor, matrix, dim, i, j) - Stretch(factor, matrix, dim, j, i)) / scale, 1e-4);
            }

            Assert.True(Stretch(factor, matrix, dim, i, i) > 0); // necessary for positive definite
        }
    }

    [Fact]
    public void The_polar_factor_of_a_stretched_rotation_is_that_rotation()
    {
        const int Dim = 20;
        float[] rotation = Rotations.PolarFactor(TestVectors.Normal(Dim, Dim, 1), Dim, Work.Quiet)!;
        float[] stretched = [.. rotation.Select((value, i) => value * MathF.Pow(0.5f, i / Dim))]; // D R: singular values 1 .. 2e-6

        float[] factor = Rotations.PolarFactor(stretched, Dim, Work.Quiet)!;

        Assert.All(factor.Zip(rotation), pair => Assert.Equal(pair.Second, pair.First, 1e-3));
    }

    [Fact]
    public void A_matrix_that_determines_no_rotation_has_no_polar_factor()
    {
        Assert.Null(Rotations.PolarFactor([1, 0, 0, 0], 2, Work.Quiet));
        Assert.Null(Rotations.PolarFactor(new float[9], 3, Work.Quiet));
    }

    [Fact]
    public void Skewness_sees_a_stretched_and_a_NaN_matrix()
    {
        Assert.Equal(3, Rotations.Skewness([2, 0, 0, 1], 2, Work.Quiet));
        Assert.True(double.IsNaN(Rotations.Skewness([float.NaN, 0, 0, 1], 2, Work.Quiet)));
        Assert.Equal(0, Rotations.Skewness(Rotations.Identity(5), 5, Work.Quiet));
    }

    // Entry (i, j) of R^T B.
    private static double Stretch(float[] factor, float[] matrix, int dim, int i, int j) =>
        Enumerable.Range(0, dim).Sum(row => (double)factor[row * dim + i] * matrix[row * dim + j]);
}
