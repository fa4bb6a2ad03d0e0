using System.Diagnostics;

namespace Signpost.Engine.Search;

/// <summary>When a search must stop with what it has. Cheap to ask: one clock read.</summary>
public readonly struct Deadline
{
    private readonly long _timestamp;
    private readonly CancellationToken _cancel;
    private readonly TimeProvider? _clock; // null: the system's, which is asked without a virtual call

    private Deadline(long timestamp, CancellationToken cancel, TimeProvider? clock = null)
    {
        _timestamp = timestamp;
        _cancel = cancel;
        _clock = clock;
    }

    /// <summary>No end.</summary>
    public static Deadline None => default;

    /// <summary>The caller's wish to end early.</summary>
    public CancellationToken Cancel => _cancel;

    /// <summary>True once the time is over or the caller has given up.</summary>
    public bool Reached => (_timestamp != 0 && Now >= _timestamp) || _cancel.IsCancellationRequested;

    /// <summary>Time left; null without an end, zero when over.</summary>
    public TimeSpan? Left
    {
        get
        {
            if (_timestamp == 0)
            {
                return null;
            }

            long ticks = _timestamp - Now;
            return ticks <= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((double)ticks / (_clock?.TimestampFrequency ?? Stopwatch.Frequency));
        }
    }

    /// <summary>
    /// Ends <paramref name="time"/> from now, or when <paramref name="cancel"/> is asked for. Times beyond what the clock can count
    /// end when it does, in a century.
    /// </summary>
    public static Deadline After(TimeSpan time, CancellationToken cancel = default) =>
        new(Stopwatch.GetTimestamp() + (long)Math.Min(time.TotalSeconds * Stopwatch.Frequency, long.MaxValue / 2), cancel);

    /// <summary>Ends only when <paramref name="cancel"/> is asked for.</summary>
    public static Deadline OnCancel(CancellationToken cancel) => new(0, cancel);

    /// <summary>As <see cref="After(TimeSpan, CancellationToken)"/>, by another clock than the system's.</summary>
    public static Deadline After(TimeSpan time, TimeProvider clock, CancellationToken cancel = default)
    {
        long ticks = (long)Math.Min(time.TotalSeconds * clock.TimestampFrequency, long.MaxValue / 2);
        return new Deadline(clock.GetTimestamp() + ticks, cancel, clock);
    }

    private long Now => _clock?.GetTimestamp() ?? Stopwatch.GetTimestamp();
}
