using Signpost.Engine.Base;

namespace Signpost.Engine.Storage;

/// <summary>Lets bytes through at a rate, all callers together. Thread-safe.</summary>
/// <remarks>
/// A leaky bucket as a meter (the generic cell rate algorithm): bytes may begin when those before them are paid for, and what was not used in the
/// past is lost, so that in any time t no more than rate x t and one call's bytes pass.
/// </remarks>
/// <param name="bytesPerSecond">The rate, at least 1.</param>
/// <param name="time">Only its monotonic clock is used.</param>
public sealed class Throttle(long bytesPerSecond, TimeProvider time)
{
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly long _origin = time.GetTimestamp();
    private double _paidAt; // seconds since the origin

    /// <summary>The rate.</summary>
    public long BytesPerSecond { get; } = bytesPerSecond >= 1 ? bytesPerSecond : throw new ArgumentOutOfRangeException(nameof(bytesPerSecond));

    /// <summary>Returns when <paramref name="bytes"/> more may pass.</summary>
    public void Take(long bytes, CancellationToken cancel)
    {
        double begin = Reserve(bytes);
        for (double left; (left = begin - Now) > 0;)
        {
            cancel.WaitHandle.WaitOne(left < Longest.TotalSeconds ? TimeSpan.FromSeconds(left) : Longest);
            cancel.ThrowIfCancellationRequested();
        }
    }

    private double Now => time.GetElapsedTime(_origin).TotalSeconds;

    /// <summary>When <paramref name="bytes"/> may pass, in seconds since the origin.</summary>
    internal double Reserve(long bytes)
    {
        Check.That(bytes >= 0);
        lock (_lock)
        {
            double begin = Math.Max(Now, _paidAt);
            _paidAt = begin + ((double)bytes / BytesPerSecond);
            return begin;
        }
    }
}

/// <summary>A file being written no faster than a throttle lets it.</summary>
internal sealed class ThrottledWriter(IFileWriter file, Throttle throttle, CancellationToken cancel) : IFileWriter
{
    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        throttle.Take(data.Length, cancel);
        file.Write(offset, data);
    }

    public void Sync() => file.Sync();

    public void Dispose() => file.Dispose();
}
