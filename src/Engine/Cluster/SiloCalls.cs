using Signpost.Engine.Base;
using Signpost.Engine.Search;

namespace Signpost.Engine.Cluster;

/// <summary>Makes the calls of the coordinator's searches, and decides when one more is made. Thread-safe; a <see cref="FanOut"/> is not.</summary>
/// <param name="client">Asks silos.</param>
/// <param name="time">Makes timers and counts time.</param>
/// <param name="localQueue">Searches that wait in this process; null: none ever do.</param>
internal sealed class SiloCalls(IShardClient client, TimeProvider time, Func<int>? localQueue)
{
    private readonly Clock _clock = new(time);
    private readonly ReplicaChoice _choice = new(localQueue);
    private readonly HedgeBudget _budget = new();
    private long _hedges;
    private long _retries;
    private long _failures;

    /// <summary>Calls made because another was silent.</summary>
    public long Hedges => Volatile.Read(ref _hedges);

    /// <summary>Calls made because another failed.</summary>
    public long Retries => Volatile.Read(ref _retries);

    /// <summary>Calls that failed or had not ended by the deadline.</summary>
    public long Failures => Volatile.Read(ref _failures);

    /// <summary>Asks for what is wanted: one call for each silo, those over the network first, so that they work meanwhile.</summary>
    public void AskWanted(FanOut fan, AskKind kind)
    {
        for (; !fan.Wanted.IsEmpty && !fan.IsSettled; kind = AskKind.Retry)
        {
            _choice.Place(fan, kind == AskKind.First, _clock);
            ReadOnlySpan<SiloGroup> planned = fan.TakePlanned();
            Count(planned, kind);
            foreach (SiloGroup group in planned)
            {
                if (!group.IsHere)
                {
                    Send(fan, group, kind);
                }
            }

            foreach (SiloGroup group in planned)
            {
                if (group.IsHere)
                {
                    Send(fan, group, kind);
                }
            }
        }
    }

    /// <summary>Asks others in the place of silos that are silent for long.</summary>
    public void HedgeSilent(FanOut fan)
    {
        TimeSpan now = _clock.Now;
        int before = fan.InFlight.Count; // the calls that are made here are not silent yet
        for (int i = 0; i < before; i++)
        {
            SiloGroup group = fan.InFlight[i];
            SiloCall call = group.Call!;
            if (now < call.CheckAt)
            {
                continue;
            }

            bool isForced = now >= call.ForceAt;
            call.CheckAt = isForced ? TimeSpan.MaxValue : call.ForceAt;
            if (isForced)
            {
                call.Silent(now);
            }

            if (!call.IsHedged && fan.HasOther(group) && (isForced || _budget.TrySpend()))
            {
                call.IsHedged = true;
                fan.WantOthers(group);
                AskWanted(fan, AskKind.Hedge);
            }
        }
    }

    /// <summary>Ends when a call has ended, it is time to look at one, or the query ends by its deadline or its caller.</summary>
    public Task WaitAsync(FanOut fan)
    {
        TimeSpan wait = fan.Question.Deadline.Left ?? TimeSpan.MaxValue;
        TimeSpan now = _clock.Now;
        foreach (SiloGroup group in fan.InFlight)
        {
            TimeSpan untilCheck = group.Call!.CheckAt - now;
            wait = untilCheck < wait ? untilCheck : wait;
        }

        return fan.Bell!.WaitAsync(wait);
    }

    /// <summary>Takes the answers of the calls that have ended, and gives up those that nobody needs any more.</summary>
    public void TakeEnded(FanOut fan)
    {
        for (int i = fan.InFlight.Count - 1; i >= 0; i--)
        {
            SiloGroup group = fan.InFlight[i];
            SiloCall call = group.Call!;
            if (!call.HasEnded)
            {
                continue;
            }

            fan.InFlight.RemoveAt(i);
            if (call.Failure is null)
            {
                Take(fan, group, call.Answer, call);
            }
            else
            {
                Fail(fan, group, call.Failure, call);
            }
        }

        for (int i = fan.InFlight.Count - 1; i >= 0; i--)
        {
            SiloGroup group = fan.InFlight[i];
            if (!fan.IsOpen(group))
            {
                fan.InFlight.RemoveAt(i);
                GiveUp(group);
            }
        }
    }

    /// <summary>Gives up all calls that have not ended, which nobody needs.</summary>
    public void GiveUp(FanOut fan)
    {
        foreach (SiloGroup group in fan.InFlight)
        {
            GiveUp(group);
        }

        fan.InFlight.Clear();
        fan.Bell?.Dispose();
        fan.Bell = null;
    }

    /// <summary>Gives up all calls that have not ended, because the time is over.</summary>
    public void GiveUpLate(FanOut fan)
    {
        Interlocked.Add(ref _failures, fan.InFlight.Count);
        fan.EndLate();
        GiveUp(fan);
    }

    private void Count(ReadOnlySpan<SiloGroup> planned, AskKind kind)
    {
        switch (kind)
        {
            case AskKind.First:
                foreach (SiloGroup group in planned)
                {
                    if (!group.IsHere)
                    {
                        _budget.Earn();
                    }
                }

                break;
            case AskKind.Retry:
                Interlocked.Add(ref _retries, planned.Length);
                break;
            case AskKind.Hedge:
                Interlocked.Add(ref _hedges, planned.Length);
                break;
        }
    }

    private void GiveUp(SiloGroup group)
    {
        group.Call!.GiveUp(_clock.Now);
        group.Told.End(CallEnd.GivenUp, null, default, _clock);
    }

    private void Send(FanOut fan, SiloGroup group, AskKind kind)
    {
        ref readonly Question question = ref fan.Question;
        if (question.Deadline.Reached)
        {
            return;
        }

        ShardMap map = fan.Routes.Map;
        group.Told = CallTold.Begin(question.Request.Report, group, kind, _clock);
        var asked = new ShardQuery(map.Collection, group.Slots, question.Query, question.Request.Parameters, map.CodesVersion, fan.Target, group.Told.Watch);
        SiloCall? call = group.IsHere ? null : NewCall();
        fan.Begin(group);
        ShardAnswer answer;
        try
        {
            ValueTask<ShardAnswer> answering =
                client.SearchAsync(group.Silo.Id, asked, question.Deadline, call?.Token ?? question.Cancel);
            if (!answering.IsCompleted)
            {
                call ??= NewCall();
                fan.Bell ??= new Bell(time, question.Cancel, question.Deadline.Cancel);
                _ = call.WatchAsync(answering, _clock, fan.Bell);
                fan.Postpone(group, call);
                return;
            }

            answer = answering.GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            Fail(fan, group, SiloCall.Why(e), call);
            return;
        }

        Take(fan, group, answer, call);

        SiloCall NewCall() => new(group.Silo, _clock.Now, fan.Question.Deadline.Left, fan.Question.Cancel);
    }

    private void Take(FanOut fan, SiloGroup group, in ShardAnswer answer, SiloCall? call)
    {
        if (answer.Refusal is { Code: ProblemCode.Busy } busy)
        {
            Fail(fan, group, busy.ToString(), call);
            return;
        }

        bool hasNothing = answer.Missing?.Count >= group.Shards.Length;
        group.Told.End(hasNothing ? CallEnd.Failed : CallEnd.Answered, hasNothing ? answer.Missing![0].Reason : null, answer, _clock);
        if (hasNothing)
        {
            Blame(fan, group, call); // it has nothing of what the map says it has
        }
        else if (call is not null)
        {
            call.Answered(_clock.Now);
        }
        else if (group.Silo.IsAvoided)
        {
            group.Silo.Recovered();
        }

        fan.Take(group, answer);
    }

    private void Fail(FanOut fan, SiloGroup group, string reason, SiloCall? call)
    {
        group.Told.End(CallEnd.Failed, reason, default, _clock);
        Blame(fan, group, call);
        fan.Fail(group, reason);
        fan.Question.Cancel.ThrowIfCancellationRequested();
    }

    private void Blame(FanOut fan, SiloGroup group, SiloCall? call)
    {
        Interlocked.Increment(ref _failures);
        TimeSpan now = _clock.Now;
        bool isOver = fan.Question.Cancel.IsCancellationRequested || fan.Question.Deadline.Reached;
        if (isOver)
        {
            call?.GiveUp(now); // the query ended it, which is not the silo's fault
        }
        else if (call is null)
        {
            group.Silo.Failed(now, now);
        }
        else
        {
            call.Failed(now);
        }
    }
}
