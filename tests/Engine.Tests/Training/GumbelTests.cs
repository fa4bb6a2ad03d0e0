using Signpost.Engine.Base;
using Signpost.Engine.Training;

namespace Signpost.Engine.Tests.Training;

public sealed class GumbelTests
{
    [Fact]
    public void Mean_and_variance_are_those_of_the_standard_distribution()
    {
        var samples = new float[400_000];
        Gumbel.Fill(samples, new Seeded(1, 2));

        double mean = samples.Average();
        Assert.Equal(0.5772, mean, 0.01);
        Assert.Equal(Math.PI * Math.PI / 6, samples.Average(x => (x - mean) * (x - mean)), 0.02);
        Assert.All(samples, x => Assert.True(float.IsFinite(x)));
    }

    [Fact]
    public void The_arg_max_of_noisy_logits_is_a_sample_of_their_softmax()
    {
        const int Draws = 100_000;
        double[] logits = [0, 1, -1, 0.5];
        var counts = new double[4];
        var noise = new float[4];
        for (int draw = 0; draw < Draws; draw++)
        {
            Gumbel.Fill(noise, new Seeded(1, Gumbel.Stream(draw, 3, 2)));
            double[] noisy = [.. logits.Select((value, i) => value + noise[i])];
            counts[Array.IndexOf(noisy, noisy.Max())]++;
        }

        double sum = logits.Sum(Math.Exp);
        double chiSquare = counts.Select((count, i) => Math.Pow(count - Draws * Math.Exp(logits[i]) / sum, 2) / (Draws * Math.Exp(logits[i]) / sum)).Sum();
        Assert.InRange(chiSquare, 0, 16.27); // 99.9 % of 3 degrees of freedom
    }

    [Fact]
    public void Steps_anchors_and_subspaces_have_noise_of_their_own() =>
        Assert.Equal(8, new[] { 0, 1 }.SelectMany(step => new[] { 0, 1 }.SelectMany(anchor =>
            new[] { 0, 1 }.Select(m => Gumbel.Stream(step, anchor, m)))).Distinct().Count());
}
