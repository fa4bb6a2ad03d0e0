namespace Signpost.Engine.Tests.Support;

/// <summary>
/// A clock that stands still until it is told to go on. Its timers fire one after the other in the order of their times, on the thread
/// that moves the clock, so what is awaited by it runs the same way every time.
/// </summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly PriorityQueue<ManualTimer, (TimeSpan Due, long Number)> _timers = new();
    private long _number;

    /// <summary>Time since the beginning.</summary>
    public TimeSpan Now { get; private set; } = TimeSpan.FromHours(1);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Now.Ticks;

    public override DateTimeOffset GetUtcNow() => throw new NotSupportedException("nothing here may depend on the wall clock");

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Assert.Equal(Timeout.InfiniteTimeSpan, period);
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Does <paramref name="action"/> when <paramref name="time"/> has passed.</summary>
    public void After(TimeSpan time, Action action) => new ManualTimer(this, action).Change(time, Timeout.InfiniteTimeSpan);

    /// <summary>Lets <paramref name="time"/> pass.</summary>
    public void Pass(TimeSpan time)
    {
        TimeSpan end = Now + time;
        while (_timers.TryPeek(out _, out (TimeSpan Due, long) next) && next.Due <= end)
        {
            Next();
        }

        Now = end;
    }

    /// <summary>Lets time pass until the next timer, which fires. False where there is none.</summary>
    public bool Next()
    {
        if (!_timers.TryDequeue(out ManualTimer? timer, out (TimeSpan Due, long Number) due))
        {
            return false;
        }

        if (timer.Number == due.Number)
        {
            Now = due.Due > Now ? due.Due : Now;
            timer.Fire();
        }

        return true;
    }

    private sealed class ManualTimer(ManualTime time, Action action) : ITimer
    {
        /// <summary>Of the last change; those that were queued before it do not count. -1: it does not run.</summary>
        public long Number { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Number = ++time._number;
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                time._timers.Enqueue(this, (time.Now + dueTime, Number));
            }

            return true;
        }

        public void Fire()
        {
            Number = -1;
            action();
        }

        public void Dispose() => Number = -1;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
