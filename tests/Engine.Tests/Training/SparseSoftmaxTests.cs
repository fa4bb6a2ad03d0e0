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
