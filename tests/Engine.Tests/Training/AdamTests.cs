using Signpost.Engine.Tests.Quantizers;
using Signpost.Engine.Training;

namespace Signpost.Engine.Tests.Training;

public sealed class AdamTests
{
    [Fact]
    public void With_both_shares_at_one_it_is_Adam()
    {
        const int Count = 5;
        AdamOptions plain = AdamOptions.Plain;
        var adam = new Adam(Count, plain);
        var parameters = new float[Count];
        var want = new double[Count];
        var mean = new double[Count];
        var square = new double[Count];
        for (int step = 1; step <= 50; step++)
        {
            float[] gradient = TestVectors.Normal(1, Count, (ulong)step);
            adam.Update(parameters, gradient, 0.01);
            for (int i = 0; i < Count; i++)
            {
                mean[i] = 0.9 * mean[i] + 0.1 * gradient[i];
                square[i] = 0.999 * square[i] + 0.001 * gradient[i] * gradient[i];
                double corrected = mean[i] / (1 - Math.Pow(0.9, step));
                want[i] -= 0.01 * corrected / (Math.Sqrt(square[i] / (1 - Math.Pow(0.999, step))) + 1e-8);
            }
        }

        Assert.All(want.Zip(parameters), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.Equal(50, adam.Steps);
    }

    [Fact]
    public void Without_a_share_of_the_mean_the_past_decides_the_length_and_never_the_direction()
    {
        AdamOptions options = new(Nu1: 0);
        var adam = new Adam(1, options);
        var direction = new float[1];
        adam.Direction([100f], direction);
        adam.Direction([-2f], direction);

        double square = (0.998 * 0.002 * 100 * 100 + 0.002 * 4) / (1 - 0.998 * 0.998);
        Assert.Equal(-2 / Math.Sqrt(0.3 * 4 + 0.7 * square), direction[0], 1e-6);
    }

    [Fact]
    public void The_published_step_is_what_the_formula_gives()
    {
        var adam = new Adam(1, new AdamOptions());
        float[] parameters = [1f];
        adam.Update(parameters, [0.5f], 0.1);
        adam.Update(parameters, [-0.25f], 0.1);

        // By hand: the first step is 1 exactly, whatever the shares. Then m^ = (0.95 * 0.025 - 0.0125) / 0.0975 = 0.1153846 and
        // v^ = (0.998 * 0.0005 + 0.000125) / 0.003996 = 0.1561562: (0.2 * -0.25 + 0.8 m^) / sqrt(0.3 * 0.0625 + 0.7 v^) = 0.1182262.
        Assert.Equal(1 - 0.1 - 0.1 * 0.1182262, parameters[0], 1e-6);
    }

    [Fact]
    public void A_restored_optimiser_goes_on_as_if_it_had_not_stopped()
    {
        float[] whole = [1f, 2f];
        float[] parts = [1f, 2f];
        var first = new Adam(2, new AdamOptions());
        first.Update(whole, [3f, -1f], 0.1);
        new Adam(2, new AdamOptions()).Update(parts, [3f, -1f], 0.1);
        var second = new Adam(2, new AdamOptions()) { Steps = first.Steps };
        first.Mean.CopyTo(second.Mean, 0);
        first.MeanSquare.CopyTo(second.MeanSquare, 0);

        first.Update(whole, [0.5f, 4f], 0.1);
        second.Update(parts, [0.5f, 4f], 0.1);

        Assert.Equal(whole, parts);
    }

    [Fact]
    public void The_published_rate_warms_up_decays_and_stops_at_its_floor()
    {
        var rate = new LearningRate();

        Assert.Equal(1e-5, rate.At(0));
        Assert.Equal(5e-4, rate.At(499), 1e-12);
        Assert.Equal(1e-3, rate.At(999), 1e-12);
        Assert.Equal(1e-3 * Math.Exp(-0.2), rate.At(1999), 1e-12);
        Assert.Equal(4.5e-4, rate.At(5000), 1e-5);
        Assert.True(rate.At(24_024) > 1e-5);
        Assert.Equal(1e-5, rate.At(24_025));
        Assert.Equal(1e-5, rate.At(1_000_000));
    }

    [Fact]
    public void A_cosine_ends_at_the_floor()
    {
        var rate = new LearningRate { Shape = LearningRateDecay.Cosine, WarmUpSteps = 10, TotalSteps = 110 };

        Assert.Equal(1e-3, rate.At(9), 1e-12);
        Assert.Equal((1e-3 + 1e-5) / 2, rate.At(59), 1e-12);
        Assert.Equal(1e-5, rate.At(109), 1e-12);
        Assert.Equal(1e-5, rate.At(500), 1e-12);
    }

    [Fact]
    public void Gradients_that_are_too_long_together_are_scaled_and_counted()
    {
        var clip = new GradientClip(5);
        float[] a = [6f];
        float[] b = [0f, 8f];

        Assert.Equal(10, clip.Apply(a, b));
        Assert.Equal([3f], a);
        Assert.Equal([0f, 4f], b);
        Assert.Equal(5, clip.Apply(a, b), 1e-6);
        Assert.Equal(1, clip.Clipped);
    }

    [Fact]
    public void Gradients_without_a_finite_norm_are_left_as_they_are()
    {
        var clip = new GradientClip(5);
        float[] a = [6f, float.NaN];

        Assert.True(double.IsNaN(clip.Apply(a)));
        Assert.Equal([6f, float.NaN], a);
        Assert.Equal(0, clip.Clipped);
    }
}
