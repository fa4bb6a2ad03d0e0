namespace Signpost.Engine.Cluster;

/// <summary>
/// Wakes a query that waits for several things at once: a call that ends, a time, somebody who cancels. Rings while nobody waits are not
/// lost; they may also come for nothing, so who wakes looks for what has happened. One waiter at a time; anybody may ring at any time.
/// </summary>
internal sealed class Bell : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(49); // that a timer can do, rounded down

    private readonly Lock _lock = new();
    private readonly ITimer _timer;
    private readonly CancellationTokenRegistration _first;
    private readonly CancellationTokenRegistration _second;
    private TaskCompletionSource? _waiter;
    private bool _hasRung;

    /// <summary>A bell that either of two tokens rings too.</summary>
    public Bell(TimeProvider time, CancellationToken first, CancellationToken second)
    {
        _timer = time.CreateTimer(static bell => ((Bell)bell!).Ring(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _first = first.UnsafeRegister(static bell => ((Bell)bell!).Ring(), this);
        _second = second.UnsafeRegister(static bell => ((Bell)bell!).Ring(), this);
    }

    /// <summary>Wakes the waiter, now or when there is one.</summary>
    public void Ring()
    {
        TaskCompletionSource? waiter;
        lock (_lock)
        {
            waiter = _waiter;
            _waiter = null;
            _hasRung = waiter is null;
        }

        waiter?.SetResult();
    }

    /// <summary>Ends when the bell rings, or has rung since the last wait, or after <paramref name="time"/>.</summary>
    public Task WaitAsync(TimeSpan time)
    {
        if (time <= TimeSpan.Zero)
        {
            return Task.CompletedTask;
        }

        Task rings;
        lock (_lock)
        {
            if (_hasRung)
            {
                _hasRung = false;
                return Task.CompletedTask;
            }

            _waiter = new TaskCompletionSource();
            rings = _waiter.Task;
        }

        // Timers count whole milliseconds; rounded down, the last of them would be spent in a loop.
        double ms = Math.Ceiling(Math.Min(time.TotalMilliseconds, LongestWait.TotalMilliseconds));
        _timer.Change(TimeSpan.FromMilliseconds(ms), Timeout.InfiniteTimeSpan);
        return rings;
    }

    /// <summary>Rings no more by time or token.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        _first.Unregister(); // not Dispose, which would wait for a ring that is under way, perhaps for this very call
        _second.Unregister();
    }
}
