using System.CommandLine;
using Signpost.Client;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Http;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost rebalance</c>: what the leader would move, or moves, for a tighter balance than it keeps by itself.</summary>
internal static class RebalanceCommand
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(300);

    public static Command Make(CancellationToken cancel) => CommandLine.Verb(
        "rebalance",
        "Balance the silos once to within a tolerance that is tighter than the leader's own; --dry-run only shows what would move.",
        cancel,
        [.. AdminCalls.Settings, Settings.TolerancePercent, Settings.DryRun, Settings.WatchMoves, Settings.Json],
        Run);

    private static void Run(Session session)
    {
        using var calls = new AdminCalls(session);
        bool dry = session.Get(Settings.DryRun);
        string url = dry ? calls.Url : calls.SiloOf(calls.Cluster.Leader).Url;
        PlanReply plan = calls.Post(
            url, AdminApi.RebalancePath, new RebalanceBody { TolerancePercent = session.Get(Settings.TolerancePercent), DryRun = dry },
            Wire.Json.RebalanceBody, Wire.Json.PlanReply);
        if (session.Json)
        {
            ReportJson.Print(plan, ReportJson.Default.PlanReply);
        }
        else
        {
            PlanTable.Print(session, plan);
        }

        if (!dry && session.Get(Settings.WatchMoves))
        {
            Follow(session, calls, plan);
        }
    }

    /// <summary>Shows the moves until the copies of <paramref name="plan"/> serve and nothing is on its way any more.</summary>
    private static void Follow(Session session, AdminCalls calls, PlanReply plan)
    {
        var watch = new MovesWatch(session);
        while (true)
        {
            ClusterInfo cluster = calls.Look();
            watch.See(cluster);
            HashSet<(string, int, string)> serving =
            [
                .. cluster.Collections.SelectMany(
                    c => c.Shards.SelectMany(s => s.Replicas.Where(r => r.State == "serving").Select(r => (c.Name, s.Shard, r.Silo)))),
            ];
            if (cluster.Moves.Length == 0 && plan.Moves.All(move => serving.Contains((move.Collection, move.Shard, move.To))))
            {
                return;
            }

            session.Cancel.WaitHandle.WaitOne(Interval);
            session.Cancel.ThrowIfCancellationRequested();
        }
    }
}
