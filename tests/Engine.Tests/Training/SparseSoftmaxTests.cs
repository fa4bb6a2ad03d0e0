using Signpost.Engine.Tests.Quantizers;
using Signpost.Engine.Training;

namespace Signpost.Engine.Tests.Training;

public sealed unsafe class SparseSoftmaxTests
{
    [Theory]
    [InlineData(16, 1f, float.PositiveInfinity)]
    [InlineData(16, 30f, 14f)]
    [InlineData(256, 3f, 14f)]
    [InlineData(256, 3f, 2f)]
    [InlineData(256, 1e6f, 14f)] // one is left
    public void What_is_within_the_threshold_gets_its_share_of_the_softmax(int k, float scale, float threshold)
    {
        float[] costs = TestVectors.Normal(1, k, 5);
        var active = new int[k];
        var probabilities = new float[k];

        int count = Select(costs, scale, threshold, active, probabilities);

        int[] want = [.. Enumerable.Range(0, k).Where(i => (costs[i] - costs.Min()) * scale <= threshold)];
        double sum = want.Sum(i => Math.Exp((costs.Min() - costs[i]) * scale));
        Assert.Equal(want, active[..count]);
        Assert.All(want, (i, j) => Assert.Equal(Math.Exp((costs.Min() - costs[i]) * scale) / sum, probabilities[j], 1e-5));
    }

    [Fact]
    public void Costs_that_are_not_numbers_select_nothing()
    {
        float[] costs = [.. Enumerable.Repeat(float.NaN, 16)];
        Assert.Equal(0, Select(costs, 1, 14, new int[16], new float[16]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(250)]
    public void Derivatives_are_those_of_finite_differences(int count)
    {
        const double Scale = 1.7;
        const double Step = 1e-5;
        double[] costs = [.. TestVectors.Normal(1, count, 6).Select(cost => (double)cost)];
        float[] loss = TestVectors.Normal(1, count, 7); // L = sum loss p
        double LossAt(IEnumerable<double> at, double scale) =>
            at.Zip(loss, (cost, weight) => (Math.Exp(-scale * cost), weight)) is var terms
                ? terms.Sum(t => t.Item1 * t.weight) / terms.Sum(t => t.Item1)
                : 0;
        double[] want = [.. Enumerable.Range(0, count).Select(i =>
            (LossAt(costs.Select((cost, j) => j == i ? cost + Step : cost), Scale) - LossAt(costs.Select((cost, j) => j == i ? cost - Step : cost), Scale)) / (2 * Step))];
        double wantTemperature = (LossAt(costs, Scale * Math.Exp(-Step)) - LossAt(costs, Scale * Math.Exp(Step))) / (2 * Step);
        int room = (count + 15) / 16 * 16;
        double all = costs.Sum(cost => Math.Exp(-Scale * cost));
        float[] probabilities = [.. costs.Select(cost => (float)(Math.Exp(-Scale * cost) / all)), .. Rubbish(room - count)];
        float[] upstream = [.. loss, .. Rubbish(room - count)];
        float[] seen = [.. costs.Select(cost => (float)cost), .. Rubbish(room - count)];
        double temperature;
        fixed (float* p = probabilities, u = upstream, c = seen)
        {
            temperature = SparseSoftmax.Differentiate(p, u, c, count, (float)Scale);
        }

        Assert.All(want, (derivative, i) => Assert.Equal(derivative, upstream[i], 1e-5));
        Assert.Equal(wantTemperature, temperature, 1e-4);
    }

    private static float[] Rubbish(int count) => [.. Enumerable.Repeat(float.NaN, count)];

    private static int Select(float[] costs, float scale, float threshold, int[] active, float[] probabilities)
    {
        fixed (float* c = costs)
        fixed (int* a = active)
        fixed (float* p = probabilities)
        {
            return SparseSoftmax.Select(c, costs.Length, scale, threshold, a, p);
        }
    }
}
