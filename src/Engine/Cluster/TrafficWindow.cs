namespace Signpost.Engine.Cluster;

/// <summary>
/// The queries of the last ten whole seconds: how many, how long they took, and how busy the search threads were. Thread-safe; counting one
/// allocates nothing. What it tells changes once a second.
/// </summary>
public sealed class TrafficWindow
{
    private const int Seconds = 10;
    private const double Share50 = 0.5;
    private const double Share99 = 0.99;

    private readonly Lock _lock = new();
    private readonly SearchThreads? _threads;
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly Second[] _seconds = [.. Enumerable.Range(0, Seconds + 1).Select(_ => new Second())]; // one of them is the one that runs

    /// <summary>A window that begins now.</summary>
    /// <param name="threads">Those that search; null: how busy they are is not known.</param>
    /// <param name="time">Only its monotonic clock is used.</param>
    public TrafficWindow(SearchThreads? threads, TimeProvider time)
    {
        (_threads, _time, _origin) = (threads, time, time.GetTimestamp());
        Now(TimeSpan.Zero);
    }

    /// <summary>Counts a query that took <paramref name="latency"/>.</summary>
    public void Add(TimeSpan latency)
    {
        int bucket = LatencyHistogram.BucketOf(latency);
        lock (_lock)
        {
            Now(_time.GetElapsedTime(_origin)).Counts[bucket]++;
        }
    }

    /// <summary>What there was.</summary>
    public SiloTraffic Read()
    {
        Span<int> counts = stackalloc int[LatencyHistogram.Buckets];
        counts.Clear();
        lock (_lock)
        {
            Second now = Now(_time.GetElapsedTime(_origin));
            Second oldest = now;
            foreach (Second second in _seconds)
            {
                if (second.Number >= now.Number - Seconds && second.Number < now.Number)
                {
                    for (int i = 0; i < counts.Length; i++)
                    {
                        counts[i] += second.Counts[i];
                    }

                    oldest = second.Number < oldest.Number ? second : oldest;
                }
            }

            int count = 0;
            foreach (int one in counts)
            {
                count += one;
            }

            return new SiloTraffic(
                Math.Round((double)count / Math.Clamp(now.Number, 1, Seconds), 1), MsOf(counts, count, Share50), MsOf(counts, count, Share99),
                BusyBetween(oldest, now));
        }
    }

    private static double MsOf(ReadOnlySpan<int> counts, int count, double share) =>
        count == 0 ? 0 : Math.Round(LatencyHistogram.Quantile(counts, count, share).TotalMilliseconds, 3);

    private double BusyBetween(Second first, Second last)
    {
        double worked = _threads is null ? 0 : (last.BusyAtStart - first.BusyAtStart) / _threads.Count / (last.Start - first.Start);
        return double.IsFinite(worked) ? Math.Round(Math.Clamp(worked, 0, 1), 3) : 0;
    }

    /// <summary>The second that runs; where it has just begun, in the place of one that is past.</summary>
    private Second Now(TimeSpan elapsed)
    {
        long number = (long)elapsed.TotalSeconds;
        Second second = _seconds[number % _seconds.Length];
        if (second.Number != number)
        {
            Array.Clear(second.Counts);
            (second.Number, second.Start, second.BusyAtStart) = (number, elapsed, _threads?.BusyTime ?? default);
        }

        return second;
    }

    private sealed class Second
    {
        public long Number { get; set; } = -1 - Seconds;

        public TimeSpan Start { get; set; }

        public TimeSpan BusyAtStart { get; set; }

        public int[] Counts { get; } = new int[LatencyHistogram.Buckets];
    }
}
