using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Silo.Http;

namespace Signpost.Silo.Cluster;

/// <summary>What an operator asks of a silo: refused with the reason, or done.</summary>
internal sealed class ClusterAdmin(ClusterSilo silo) : IAdmin
{
    private string Name => silo.Options.Silo;

    private int Replicas => silo.Options.Steward.Replicas;

    /// <inheritdoc/>
    public Outcome<DrainReply> Drain(DrainBody body)
    {
        if (body.Silo != Name)
        {
            return Elsewhere("silo", body.Silo, $"{Name}, which was asked");
        }

        if (body.Cancel)
        {
            silo.SetDrain(isWanted: false, mayLoseCopies: false);
            return new DrainReply(Name, "serving", Reply(silo.ForecastOf(null, null)));
        }

        Forecast forecast = silo.ForecastOf(Name, null);
        if (WhyNot(forecast, body.Force) is { } problem)
        {
            return problem;
        }

        if (!body.DryRun)
        {
            silo.SetDrain(isWanted: true, body.Force);
        }

        return new DrainReply(Name, body.DryRun ? "serving" : "draining", Reply(forecast));
    }

    /// <inheritdoc/>
    public Outcome<PlanReply> Rebalance(RebalanceBody body)
    {
        double tolerance = body.TolerancePercent / 100.0;
        if (tolerance is not (> 0 and <= 1))
        {
            return new Problem(ProblemCode.InvalidArgument, "tolerance_percent", $"{body.TolerancePercent}", "above 0, at most 100", "Take 2, for example.");
        }

        Forecast forecast = silo.ForecastOf(null, tolerance);
        return !body.DryRun && !silo.Balance(tolerance) ? Elsewhere("leader", silo.Leader ?? "none", $"{Name}, which was asked") : Reply(forecast);
    }

    /// <inheritdoc/>
    public ValueTask<Outcome<TrainingReply>> TrainAsync(TrainBody body, CancellationToken cancel) => TrainingCalls.AnswerAsync(silo, silo.Trainer, silo.TrainAsync, body, cancel);

    /// <summary>Why this silo may not be drained; null where it may.</summary>
    private Problem? WhyNot(Forecast forecast, bool force)
    {
        int others = silo.Members.Count(member => member.Silo.Name != Name && !member.Note.IsLeaving && !member.Note.IsDraining);
        int needed = force ? 1 : Replicas;
        if (others < needed)
        {
            return new Problem(
                ProblemCode.NotEnoughMemory, $"drain of {Name}", $"{others} other silos that stay", $"at least {needed}, one for each copy of a shard",
                others == 0 || force ? "Start another silo first." : "Start another silo first, or keep fewer copies (force).");
        }

        PlacementGap[] gaps = force ? [.. forecast.Gaps.Where(gap => gap.Missing >= Replicas)] : [.. forecast.Gaps];
        return gaps.Length == 0
            ? null
            : new Problem(
                ProblemCode.NotEnoughMemory, $"drain of {Name}",
                $"no room for {gaps.Sum(gap => gap.Missing)} copies of {gaps.Length} shards, such as of {gaps[0].Shard}: {gaps[0].Reason}",
                force ? "room for one copy of every shard in the others" : "room for every copy in the others",
                force ? "Give the others more memory, or start another silo first." : "Give the others more memory, start another silo first, or keep fewer copies (force).");
    }

    private Problem Elsewhere(string what, string meant, string asked)
    {
        string? url = silo.Members.FirstOrDefault(member => member.Silo.Name == meant)?.Note.Url;
        return new Problem(
            ProblemCode.NotFound, what, asked, url is null ? $"{meant}, of which this silo knows nothing" : $"{meant} itself, at {url}",
            url is null ? "See signpost cluster for who is there." : "Ask it there.");
    }

    private PlanReply Reply(Forecast forecast)
    {
        long rate = silo.Options.MoveBytesPerSecond;
        long longest = forecast.Moves.GroupBy(move => move.To).Select(to => to.Sum(move => move.Bytes)).DefaultIfEmpty(0).Max();
        return new PlanReply
        {
            Moves = [.. forecast.Moves.Select(m => new PlannedMoveReply(m.Shard.Collection, m.Shard.Number, m.From, m.To, m.Bytes, m.HasBegun, Seconds(m.Bytes)))],
            Silos = [.. forecast.Silos.Select(s => new BalanceReply(s.Silo, s.ShardsBefore, s.BytesBefore, s.ShardsAfter, s.BytesAfter, s.FairBytes))],
            Bytes = forecast.Bytes,
            MinimumBytes = forecast.MinimumBytes,
            Seconds = Seconds(longest),
        };

        double? Seconds(long bytes) => rate == 0 ? null : (double)bytes / rate;
    }
}
