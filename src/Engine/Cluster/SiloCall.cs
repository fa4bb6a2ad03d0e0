using Signpost.Engine.Search;

namespace Signpost.Engine.Cluster;

/// <summary>One call to a silo that may take time: its times, its end. Not pooled, since it may end at any later time.</summary>
internal sealed class SiloCall
{
    /// <summary>Longest silence after which another silo is asked in any case.</summary>
    private static readonly TimeSpan LongestPatience = TimeSpan.FromSeconds(1);

    private readonly SiloLoad _silo;
    private readonly CancellationTokenSource _stop;
    private readonly TimeSpan _started;
    private TimeSpan _ended;
    private volatile bool _hasEnded;

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
        TimeSpan patience = Longer(PatienceOf(left), left is { } time ? Shorter(hedgeAfter, time / 2) : hedgeAfter);
        ForceAt = started + patience;
        CheckAt = started + Shorter(hedgeAfter, patience);
        silo.Begin();
    }

    /// <summary>Cancelled when the caller or the query gives the call up.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>Whether the call that is watched has ended, well or not.</summary>
    public bool HasEnded => _hasEnded;

    /// <summary>Why it failed; null where it did not.</summary>
    public string? Failure { get; private set; }

    /// <summary>The answer, when it has ended well.</summary>
    public ShardAnswer Answer { get; private set; }

    /// <summary>When the call is looked at, if it is silent until then.</summary>
    public TimeSpan CheckAt { get; set; }

    /// <summary>
    /// When others are asked in its place, whatever that costs: when patience is over, though not while the silence is usual for the silo,
    /// as long as half of the time is left.
    /// </summary>
    public TimeSpan ForceAt { get; }

    /// <summary>Whether others were asked in its place.</summary>
    public bool IsHedged { get; set; }

    /// <summary>How long a query with <paramref name="left"/> waits for one thing: a second, or a quarter of the time where that is less.</summary>
    public static TimeSpan PatienceOf(TimeSpan? left) => left is { } time ? Shorter(time / 4, LongestPatience) : LongestPatience;

    /// <summary>What is told of a call that ended by <paramref name="e"/>.</summary>
    public static string Why(Exception e) => e is OperationCanceledException ? "its call was cancelled" : e.Message;

    /// <summary>Waits for <paramref name="call"/>, which has not ended yet, takes its time and rings. Never fails.</summary>
    public async Task WatchAsync(ValueTask<ShardAnswer> call, Clock clock, Bell bell)
    {
        try
        {
            Answer = await call.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Failure = Why(e);
        }

        _ended = clock.Now;
        _hasEnded = true;
        bell.Ring();
    }

    /// <summary>The call was answered, now unless its time was taken.</summary>
    public void Answered(TimeSpan now)
    {
        _silo.Answered(_started, _hasEnded ? _ended : now);
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
        _silo.GaveUp(_started, now);
        _stop.Cancel();
        End();
    }

    private static TimeSpan Shorter(TimeSpan x, TimeSpan y) => x < y ? x : y;

    private static TimeSpan Longer(TimeSpan x, TimeSpan y) => x > y ? x : y;

    private void End()
    {
        _silo.End();
        _stop.Dispose();
    }
}
