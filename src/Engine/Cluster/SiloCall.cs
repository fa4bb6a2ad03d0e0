using Signpost.Engine.Search;

namespace Signpost.Engine.Cluster;

/// <summary>One call to a silo that may take time: its task, its times, its end. Not pooled, since the task may end at any later time.</summary>
internal sealed class SiloCall
{
    /// <summary>Longest silence after which another silo is asked in any case.</summary>
    private static readonly TimeSpan LongestPatience = TimeSpan.FromSeconds(1);

    private readonly SiloLoad _silo;
    private readonly CancellationTokenSource _stop;
    private readonly TimeSpan _started;
    private TimeSpan _ended;

    /// <summary>A call that is about to be made.</summary>
    /// <param name="silo">Who is asked.</param>
    /// <param name="started">Now.</param>
    /// <param name="left">Time that the query has left; null: any.</param>
    /// <param name="cancel">The caller's; the call has a token of its own that ends with it.</param>
    public SiloCall(SiloLoad silo, TimeSpan started, TimeSpan? left, CancellationToken cancel)
    {
        _silo = silo;
        _started = started;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        TimeSpan hedgeAfter = silo.HedgeAfter;
        TimeSpan patience = PatienceOf(left);
        if (left is { } time)
        {
            TimeSpan half = time / 2;
            TimeSpan usual = hedgeAfter < half ? hedgeAfter : half;
            patience = patience > usual ? patience : usual;
        }

        ForceAt = started + patience;
        CheckAt = hedgeAfter < patience ? started + hedgeAfter : ForceAt;
        silo.Begin();
    }

    /// <summary>Cancelled when the caller or the query gives the call up.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>The answer to come.</summary>
    public Task<ShardAnswer> Answer { get; private set; } = null!;

    /// <summary>When the call is looked at, if it is silent until then.</summary>
    public TimeSpan CheckAt { get; set; }

    /// <summary>When others are asked in its place, whatever that costs.</summary>
    public TimeSpan ForceAt { get; }

    /// <summary>Whether others were asked in its place.</summary>
    public bool IsHedged { get; set; }

    /// <summary>How long a query with <paramref name="left"/> waits for one thing: a second, or a quarter of the time left where that is less.</summary>
    public static TimeSpan PatienceOf(TimeSpan? left) => left / 4 < LongestPatience ? left!.Value / 4 : LongestPatience;

    /// <summary>Hears nothing of <paramref name="task"/> any more, not even its failure.</summary>
    public static void Forget(Task task) => task.ContinueWith(
        static late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>Waits for <paramref name="call"/>, which has not ended yet, and takes its time.</summary>
    public void Watch(ValueTask<ShardAnswer> call, Clock clock) => Answer = TimeAsync(call, clock);

    /// <summary>The call was answered, now unless its time was taken.</summary>
    public void Answered(TimeSpan now)
    {
        _silo.Answered(_started, _ended == default ? now : _ended);
        End();
    }

    /// <summary>The call failed.</summary>
    public void Failed(TimeSpan now)
    {
        _silo.Failed(_started, now);
        End();
    }

    /// <summary>The call has not been answered until now.</summary>
    public void Silent(TimeSpan now) => _silo.Silent(_started, now);

    /// <summary>Cancels the call; nobody hears of it any more.</summary>
    public void GiveUp(TimeSpan now)
    {
        if (Answer is not null)
        {
            Forget(Answer);
        }

        _silo.GaveUp(_started, now);
        _stop.Cancel();
        End();
    }

    private async Task<ShardAnswer> TimeAsync(ValueTask<ShardAnswer> call, Clock clock)
    {
        try
        {
            return await call.ConfigureAwait(false);
        }
        finally
        {
            _ended = clock.Now;
        }
    }

    private void End()
    {
        _silo.End();
        _stop.Dispose();
    }
}
