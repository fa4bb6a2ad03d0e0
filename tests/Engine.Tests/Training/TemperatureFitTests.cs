using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Training;

namespace Signpost.Engine.Tests.Training;

public sealed class TemperatureFitTests
{
    private const int Dim = 7;
    private const int M = 3;
    private const int K = 16;

    [Theory]
    [InlineData(0.5)]
    [InlineData(1.0)]
    [InlineData(2.5)]
    public void The_mean_entropy_of_every_subspace_is_as_wanted(double entropy)
    {
        RpqParameters parameters = RpqSample.Parameters(Dim, M, K);
        using FloatRows rows = RpqSample.Rows(50, Dim, 4);

        TemperatureFit.Apply(parameters, rows, entropy, new Work(2));

        DenseRpq.State state = DenseRpq.State.Of(parameters);
        var dense = new DenseRpq(Dim, M, K, new RpqBatch { Anchors = RpqSample.Rows(0, Dim, 1), Vertices = rows }, new RpqLoss());
        for (int m = 0; m < M; m++)
        {
            int subspace = m;
            Assert.Equal(entropy, Enumerable.Range(0, 50).Average(row => Entropy(dense.Assignment(state, row, dense.Rotate(state, row), subspace))), 1e-2);
        }
    }

    [Fact]
    public void Entropy_rises_with_the_temperature_from_nothing_to_that_of_a_blind_guess()
    {
        float[] distances = [.. Enumerable.Range(0, 3 * K).Select(i => (float)(i * 7 % 31))];

        double[] entropies = [.. Enumerable.Range(-8, 21).Select(log => TemperatureFit.MeanEntropy(distances, K, log))];

        Assert.All(entropies.Zip(entropies.Skip(1)), pair => Assert.True(pair.First <= pair.Second));
        Assert.Equal(0, entropies[0], 1e-9);
        Assert.Equal(Math.Log(K), TemperatureFit.MeanEntropy(distances, K, 30), 1e-9);
    }

    [Fact]
    public void Codewords_that_coincide_leave_finite_temperatures()
    {
        var parameters = new RpqParameters(2, 2, K, new float[2 * K], Rotations.Identity(2), new float[2]);
        using FloatRows rows = RpqSample.Rows(5, 2, 4);

        TemperatureFit.Apply(parameters, rows, 0.5, Work.Quiet);

        Assert.All(parameters.LogTemperatures, value => Assert.True(float.IsFinite(value)));
    }

    private static double Entropy(double[] probabilities) => -probabilities.Where(p => p > 0).Sum(p => p * Math.Log(p));
}
