namespace Signpost.Engine.Cluster;

/// <summary>What this process has seen of one silo: calls that are out, how long they take, whether they fail. Thread-safe.</summary>
/// <remarks>
/// The mean latency weighs what was seen t ago by e^(-t / 5 s), and is taken for less the longer nothing was seen, so that a silo that was
/// slow is tried again. A call that was given up tells only that it would have taken longer: it counts where that is news.
///
/// A silo that failed, or was silent for four times its 95th percentile, is avoided for a pause that doubles with every failure from
/// 100 ms to 10 s. Calls that were made before its last failure add nothing to that: many of them fail at once when a silo dies. When the
/// pause is over, one query tries it; any answer ends all this.
/// </remarks>
internal sealed class SiloLoad(SiloId id)
{
    private const double HedgeQuantile = 0.95;
    private const int EnoughLatencies = 32;
    private const int SilentFactor = 4;
    private const int MostFailures = 16; // their pause is long over the longest
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeastLatency = TimeSpan.FromMicroseconds(100); // below it the network is all that is seen
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstHedgeAfter = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LeastHedgeAfter = TimeSpan.FromMilliseconds(2); // the timer can do no better

    private readonly Lock _lock = new();
    private readonly LatencyHistogram _latencies = new();
    private int _outstanding;
    private TimeSpan _mean;
    private TimeSpan _meanAt = TimeSpan.MinValue;
    private volatile int _failures;
    private TimeSpan _lastFailure = TimeSpan.MinValue;
    private TimeSpan _avoidedUntil;
    private TimeSpan _hedgeAfter = FirstHedgeAfter;

    /// <summary>The silo.</summary>
    public SiloId Id => id;

    /// <summary>Calls that have not ended.</summary>
    public int Outstanding => Volatile.Read(ref _outstanding);

    /// <summary>Whether it is better not asked while there is another.</summary>
    public bool IsAvoided => _failures > 0;

    /// <summary>How long a call may be silent until another silo is asked too: the 95th percentile, where enough calls were seen.</summary>
    public TimeSpan HedgeAfter
    {
        get
        {
            lock (_lock)
            {
                return _hedgeAfter;
            }
        }
    }

    /// <summary>Expected work ahead of a new call: calls, with it, times their latency, in units of the least latency. At least 1.</summary>
    public double CostAt(TimeSpan now)
    {
        lock (_lock)
        {
            return (_outstanding + 1) * Math.Max(1, MeanAt(now) / LeastLatency);
        }
    }

    /// <summary>Whether the pause of a silo that failed is over and the caller is the one who tries it; until its call has ended nobody else is.</summary>
    public bool TryProbe(TimeSpan now)
    {
        lock (_lock)
        {
            if (_failures == 0 || now < _avoidedUntil)
            {
                return false;
            }

            _avoidedUntil = now + Pause;
            return true;
        }
    }

    /// <summary>A call was made.</summary>
    public void Begin() => Interlocked.Increment(ref _outstanding);

    /// <summary>A call has ended in whatever way.</summary>
    public void End() => Interlocked.Decrement(ref _outstanding);

    /// <summary>A call was answered.</summary>
    public void Answered(TimeSpan started, TimeSpan ended)
    {
        lock (_lock)
        {
            TimeSpan latency = ended - started;
            _mean = latency + ((_mean - latency) * WeightAt(ended));
            _meanAt = ended;
            Count(latency);
            _failures = 0;
        }
    }

    /// <summary>It works; for calls whose time is not taken.</summary>
    public void Recovered() => _failures = 0;

    /// <summary>A call failed.</summary>
    public void Failed(TimeSpan started, TimeSpan now)
    {
        lock (_lock)
        {
            if (started > _lastFailure)
            {
                _failures = Math.Min(_failures + 1, MostFailures);
                _lastFailure = now;
                _avoidedUntil = now + Pause;
            }
        }
    }

    /// <summary>A call has not been answered until <paramref name="now"/>.</summary>
    public void Silent(TimeSpan started, TimeSpan now)
    {
        lock (_lock)
        {
            if (now - started >= _hedgeAfter * SilentFactor)
            {
                Failed(started, now);
            }
        }
    }

    /// <summary>A call was given up: nobody needs its answer any more.</summary>
    public void GaveUp(TimeSpan started, TimeSpan now)
    {
        lock (_lock)
        {
            Silent(started, now);
            TimeSpan latency = now - started;
            if (latency > MeanAt(now))
            {
                (_mean, _meanAt) = (latency, now);
            }

            if (latency >= _hedgeAfter)
            {
                Count(latency);
            }
        }
    }

    private TimeSpan Pause
    {
        get
        {
            TimeSpan pause = FirstPause * (1 << (_failures - 1));
            return pause < LongestPause ? pause : LongestPause;
        }
    }

    private TimeSpan MeanAt(TimeSpan now) => _mean * WeightAt(now);

    /// <summary>What the mean weighs now; 0 where there is none yet.</summary>
    private double WeightAt(TimeSpan now) => _meanAt == TimeSpan.MinValue ? 0 : Math.Exp(Math.Min(0, (_meanAt - now) / Memory));

    private void Count(TimeSpan latency)
    {
        _latencies.Add(latency);
        TimeSpan quantile = _latencies.Quantile(HedgeQuantile);
        _hedgeAfter = _latencies.Count < EnoughLatencies ? FirstHedgeAfter : quantile > LeastHedgeAfter ? quantile : LeastHedgeAfter;
    }
}
