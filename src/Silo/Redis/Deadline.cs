using System.Diagnostics;

namespace Signpost.Silo.Redis;

/// <summary>The moment at which a call must have ended; monotonic.</summary>
internal readonly struct Deadline
{
    private readonly long _end;

    private Deadline(long end) => _end = end;

    /// <summary>The moment when <paramref name="time"/> has passed from now.</summary>
    public static Deadline After(TimeSpan time) => new(Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency));

    /// <summary>Whether it has come.</summary>
    public bool HasPassed => Stopwatch.GetTimestamp() >= _end;

    /// <summary>Whole milliseconds until then, at least 1, as what sockets call their timeout: 0 would mean for ever.</summary>
    /// <exception cref="TimeoutException">It has come.</exception>
    public int LeftMs => HasPassed
        ? throw new TimeoutException("no answer in time")
        : (int)Math.Clamp((_end - Stopwatch.GetTimestamp()) * 1000 / Stopwatch.Frequency, 1, 1_000_000); // sockets count microseconds in 32 bits
}
