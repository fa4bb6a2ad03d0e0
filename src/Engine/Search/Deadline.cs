using System.Diagnostics;

namespace Signpost.Engine.Search;

/// <summary>When a search must stop with what it has. Cheap to ask: one clock read.</summary>
public readonly struct Deadline
{
    private readonly long _timestamp;
    private readonly CancellationToken _cancel;

    private Deadline(long timestamp, CancellationToken cancel)
    {
        _timestamp = timestamp;
        _cancel = cancel;
    }

    /// <summary>No end.</summary>
    public static Deadline None => default;

    /// <summary>The caller's wish to end early.</summary>
    public CancellationToken Cancel => _cancel;

    /// <summary>True once the time is over or the caller has given up.</summary>
    public bool Reached => (_timestamp != 0 && Stopwatch.GetTimestamp() >= _timestamp) || _cancel.IsCancellationRequested;

    /// <summary>Time left; null without an end, zero when over.</summary>
    public TimeSpan? Left
    {
        get
        {
            if (_timestamp == 0)
            {
                return null;
            }

            long ticks = _timestamp - Stopwatch.GetTimestamp();
            return ticks <= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((double)ticks / Stopwatch.Frequency);
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
}
