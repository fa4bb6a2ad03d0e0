using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Tests.Quantizers;
using Signpost.Engine.Training;

namespace Signpost.Engine.Tests.Training;

/// <summary>Both ways to learn a rotation, on the loss sum of W_ij R_ij, whose Euclidean gradient is W everywhere.</summary>
public sealed class RotationStepTests
{
    private const int Dim = 6;

    [Fact]
    public void A_rotation_stays_one_over_ten_thousand_steps()
    {
        const int Dim = 12;
        float[] rotation = Rotation(Dim, 3);
        var step = new RotationStep(Dim, new AdamOptions());
        for (int i = 0; i < 10_000; i++)
        {
            step.Step(rotation, TestVectors.Normal(Dim, Dim, (ulong)i), 1e-3, Work.Quiet);
        }

        Assert.InRange(Rotations.Skewness(rotation, Dim, Work.Quiet), 0, 1e-5);
        float[] row = TestVectors.Normal(1, Dim, 9);
        double length = Enumerable.Range(0, Dim).Sum(i => Math.Pow(TestVectors.Dot(rotation.AsSpan(i * Dim, Dim), row), 2));
        Assert.Equal(TestVectors.Dot(row, row), length, 1e-4 * length);
        Assert.True(TestVectors.SquaredDistance(rotation, Rotation(Dim, 3)) > 0.01);
    }

    [Fact]
    public void Every_fiftieth_step_brings_the_matrix_back_to_the_rotations()
    {
        float[] matrix = [.. Rotation(Dim, 3).Select(value => 1.001f * value)];
        var step = new RotationStep(Dim, new AdamOptions());
        for (int i = 1; i <= 50; i++)
        {
            Assert.InRange(Rotations.Skewness(matrix, Dim, Work.Quiet), 1.9e-3, 2.1e-3);
            step.Step(matrix, TestVectors.Normal(Dim, Dim, (ulong)i), 1e-3, Work.Quiet);
        }

        Assert.InRange(Rotations.Skewness(matrix, Dim, Work.Quiet), 0, 1e-5);
    }

    [Fact]
    public void What_rounding_added_is_cleaned_away()
    {
        float[] rotation = Rotation(Dim, 3);
        float[] off = [.. rotation.Select((value, i) => value + 1e-3f * (i % 3 - 1))];

        Rotations.Clean(off, Dim, Work.Quiet);

        Assert.InRange(Rotations.Skewness(off, Dim, Work.Quiet), 0, 2e-5);
    }

    [Fact]
    public void The_skew_gradient_is_what_finite_differences_give()
    {
        float[] rotation = Rotation(Dim, 4);
        float[] weights = TestVectors.Normal(Dim, Dim, 5);
        var lower = new float[Dim * (Dim - 1) / 2];
        new RotationStep(Dim, new AdamOptions()).Skew(rotation, weights, lower, Work.Quiet);

        double[] want = Differences(new double[lower.Length], Doubles(rotation), Doubles(weights));

        Assert.All(want.Zip(lower), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Theory]
    [InlineData(1e-3)]
    [InlineData(0.5)] // far longer than a step is
    public void A_turn_is_the_exponential_of_the_skew_matrix(double rate)
    {
        float[] rotation = Rotation(Dim, 4);
        float[] lower = TestVectors.Normal(1, Dim * (Dim - 1) / 2, 6);
        double[] want = SkewExponential.Multiply(
            Doubles(rotation), SkewExponential.Exp(Skew([.. lower.Select(value => -rate * value)]), Dim, Work.Quiet), Dim, Work.Quiet);

        new RotationStep(Dim, new AdamOptions()).Turn(rotation, lower, rate, Work.Quiet);

        Assert.All(want.Zip(rotation), pair => Assert.Equal(pair.First, pair.Second, 2e-6));
    }

    [Theory]
    [InlineData(false, 0.7)]
    [InlineData(false, 6)]
    [InlineData(true, 1)]
    public void The_gradient_through_the_exponential_is_what_finite_differences_give(bool equalEigenvalues, double size)
    {
        double[] at = equalEigenvalues ? EqualEigenvalues(size) : [.. Doubles(TestVectors.Normal(1, 15, 7)).Select(value => size * value)];
        double[] b = Doubles(Rotation(Dim, 4));
        double[] weights = Doubles(TestVectors.Normal(Dim, Dim, 5));
        double[] pulledBack = SkewExponential.Multiply(Transposed(b), weights, Dim, Work.Quiet);

        double[] adjoint = SkewExponential.AdjointDerivative(Skew(at), pulledBack, Dim, Work.Quiet);

        Assert.All(Differences(at, b, weights).Zip(Lower(adjoint)), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_adjoint_derivative_is_a_block_of_the_exponential_of_a_block_matrix(bool equalEigenvalues)
    {
        double[] a = Skew(equalEigenvalues ? EqualEigenvalues(1) : Doubles(TestVectors.Normal(1, 15, 7)));
        double[] e = Doubles(TestVectors.Normal(Dim, Dim, 8));
        const int Twice = 2 * Dim;
        var block = new double[Twice * Twice]; // [[-A, E], [0, -A]]
        for (int i = 0; i < Dim; i++)
        {
            for (int j = 0; j < Dim; j++)
            {
                block[i * Twice + j] = block[(i + Dim) * Twice + j + Dim] = -a[i * Dim + j];
                block[i * Twice + j + Dim] = e[i * Dim + j];
            }
        }

        double[] want = SkewExponential.Exp(block, Twice, Work.Quiet);
        double[] got = SkewExponential.AdjointDerivative(a, e, Dim, Work.Quiet);

        for (int i = 0; i < Dim * Dim; i++)
        {
            Assert.Equal(want[i / Dim * Twice + i % Dim + Dim], got[i], 1e-11);
        }
    }

    [Fact]
    public void A_turn_of_a_plane_has_the_exponential_that_trigonometry_says()
    {
        double[] turn = SkewExponential.Exp([0, -7.5, 7.5, 0], 2, Work.Quiet);

        double[] want = [Math.Cos(7.5), -Math.Sin(7.5), Math.Sin(7.5), Math.Cos(7.5)];
        Assert.All(want.Zip(turn), pair => Assert.Equal(pair.First, pair.Second, 1e-13));
    }

    [Fact]
    public void Both_ways_start_alike_and_lower_the_loss()
    {
        float[] weights = TestVectors.Normal(Dim, Dim, 5);
        // The orthogonal matrix against W is -U V^T where W = U S V^T; start a turn away from it.
        float[] best = [.. Rotations.PolarFactor(weights, Dim, Work.Quiet)!.Select(value => -value)];
        float[] start = [.. best];
        new RotationStep(Dim, new AdamOptions()).Turn(start, TestVectors.Normal(1, Dim * (Dim - 1) / 2, 6), 0.4, Work.Quiet);
        float[] rebased = [.. start];
        float[] accumulated = [.. start];
        var first = new RotationStep(Dim, new AdamOptions());
        var second = new ExponentialRotation(start, Dim, new AdamOptions());
        first.Step(rebased, weights, 1e-3, Work.Quiet);
        second.Step(accumulated, weights, 1e-3, Work.Quiet);
        Assert.All(rebased.Zip(accumulated), pair => Assert.Equal(pair.First, pair.Second, 2e-6));
        for (int i = 0; i < 500; i++)
        {
            first.Step(rebased, weights, 1e-2, Work.Quiet);
            second.Step(accumulated, weights, 1e-2, Work.Quiet);
        }

        Assert.InRange(Rotations.Skewness(accumulated, Dim, Work.Quiet), 0, 1e-5);
        double least = TestVectors.Dot(best, weights);
        Assert.True(TestVectors.Dot(start, weights) > least + 1);
        Assert.InRange(TestVectors.Dot(rebased, weights), least - 1e-4, least + 0.01);
        Assert.InRange(TestVectors.Dot(accumulated, weights), least - 1e-4, least + 0.01);
    }

    private static double[] Differences(double[] at, double[] b, double[] weights)
    {
        const double H = 1e-5;
        double Loss(int entry, double by)
        {
            double[] moved = [.. at];
            moved[entry] += by;
            double[] r = SkewExponential.Multiply(b, SkewExponential.Exp(Skew(moved), Dim, Work.Quiet), Dim, Work.Quiet);
            return r.Zip(weights, (x, y) => x * y).Sum();
        }

        return [.. at.Select((_, entry) => (Loss(entry, H) - Loss(entry, -H)) / (2 * H))];
    }

    // Three planes turned by the same angle: every eigenvalue three times.
    private static double[] EqualEigenvalues(double angle)
    {
        var skew = new double[Dim * Dim];
        for (int i = 0; i < Dim; i += 2)
        {
            (skew[(i + 1) * Dim + i], skew[i * Dim + i + 1]) = (angle, -angle);
        }

        return [.. Enumerable.Range(0, Dim).SelectMany(i => Enumerable.Range(0, i).Select(j => skew[i * Dim + j]))];
    }

    private static double[] Skew(double[] lower)
    {
        var skew = new double[Dim * Dim];
        for (int i = 0, entry = 0; i < Dim; i++)
        {
            for (int j = 0; j < i; j++, entry++)
            {
                (skew[i * Dim + j], skew[j * Dim + i]) = (lower[entry], -lower[entry]);
            }
        }

        return skew;
    }

    private static double[] Lower(double[] matrix) =>
        [.. Enumerable.Range(0, Dim).SelectMany(i => Enumerable.Range(0, i).Select(j => matrix[i * Dim + j] - matrix[j * Dim + i]))];

    private static double[] Transposed(double[] matrix) => [.. matrix.Select((_, i) => matrix[i % Dim * Dim + i / Dim])];

    private static double[] Doubles(float[] values) => [.. values.Select(value => (double)value)];

    private static float[] Rotation(int dim, ulong seed) => Rotations.PolarFactor(TestVectors.Normal(dim, dim, seed), dim, Work.Quiet)!;
}
