namespace Signpost.Engine.Cluster;

/// <summary>
/// Quantiles of the latest latencies, in buckets whose bounds rise by the fourth root of two from 16 us to 67 s: a quantile is at most
/// 19 % above the true one, and never below it. When 256 are counted, all counts are halved, so that what is old fades. Not thread-safe.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int BucketsPerOctave = 4;
    private const int Octaves = 22;
    private const int Most = 256;
    private static readonly TimeSpan LeastBound = TimeSpan.FromMicroseconds(16);

    /// <summary>How many buckets there are.</summary>
    public const int Buckets = (Octaves * BucketsPerOctave) + 1;

    private readonly int[] _counts = new int[Buckets];

    /// <summary>Latencies that are counted now.</summary>
    public int Count { get; private set; }

    /// <summary>Counts <paramref name="latency"/>.</summary>
    public void Add(TimeSpan latency)
    {
        _counts[BucketOf(latency)]++;
        Count++;
        if (Count == Most)
        {
            Count = 0;
            for (int i = 0; i < _counts.Length; i++)
            {
                Count += _counts[i] /= 2;
            }
        }
    }

    /// <summary>Upper bound of the bucket below which, or in it, a share <paramref name="share"/> (above 0, at most 1) of the latencies is.</summary>
    public TimeSpan Quantile(double share) => Quantile(_counts, Count, share);

    /// <summary>The bucket that a latency belongs to.</summary>
    public static int BucketOf(TimeSpan latency)
    {
        double bucket = Math.Ceiling(BucketsPerOctave * Math.Log2(Math.Max(latency / LeastBound, 1)));
        return (int)Math.Min(bucket, Buckets - 1);
    }

    /// <summary>The same as <see cref="Quantile(double)"/> of <paramref name="counts"/> by bucket, <paramref name="count"/> in all.</summary>
    public static TimeSpan Quantile(ReadOnlySpan<int> counts, int count, double share)
    {
        int above = count - (int)Math.Ceiling(share * count);
        int bucket = counts.Length - 1;
        while (bucket > 0 && (above -= counts[bucket]) >= 0)
        {
            bucket--;
        }

        return LeastBound * Math.Pow(2, (double)bucket / BucketsPerOctave);
    }
}
