using Signpost.Engine.Base;
using Signpost.Engine.Cluster;

namespace Signpost.Engine.Tests.Cluster;

public class LatencyHistogramTests
{
    private static readonly double Step = Math.Pow(2, 0.25);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(19)]
    [InlineData(20)]
    [InlineData(21)]
    [InlineData(255)]
    public void A_quantile_is_that_of_the_sorted_latencies_rounded_up_by_at_most_a_bucket(int count)
    {
        for (ulong seed = 0; seed < 50; seed++)
        {
            var random = new Seeded(seed, (ulong)count);
            var histogram = new LatencyHistogram();
            var latencies = new List<TimeSpan>();
            for (int i = 0; i < count; i++)
            {
                latencies.Add(TimeSpan.FromMilliseconds(Math.Clamp(Math.Exp(2 * random.NextGaussian()), 0.016, 60_000)));
                histogram.Add(latencies[^1]);
            }

            latencies.Sort();
            foreach (double share in (double[])[0.01, 0.5, 0.95, 1])
            {
                TimeSpan expected = latencies[(int)Math.Ceiling(share * count) - 1];
                Assert.InRange(histogram.Quantile(share), expected * 0.999, expected * Step * 1.001);
            }
        }
    }

    [Fact]
    public void Latencies_beyond_the_bounds_count_in_the_first_and_last_bucket()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(TimeSpan.Zero);
        Assert.Equal(TimeSpan.FromMicroseconds(16), histogram.Quantile(1));
        histogram.Add(TimeSpan.FromDays(1));
        Assert.InRange(histogram.Quantile(1), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(70));
    }

    [Fact]
    public void Old_latencies_fade()
    {
        var histogram = new LatencyHistogram();
        for (int i = 0; i < 10_000; i++)
        {
            histogram.Add(TimeSpan.FromMilliseconds(100));
        }

        int needed = 0;
        for (; histogram.Quantile(0.95) > TimeSpan.FromMilliseconds(10); needed++)
        {
            histogram.Add(TimeSpan.FromMilliseconds(5));
        }

        Assert.InRange(needed, 256, 1024);
        Assert.InRange(histogram.Count, 1, 255);
    }
}
