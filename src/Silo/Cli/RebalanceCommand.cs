using System.CommandLine;
using System.Diagnostics;
using Signpost.Client;
using Signpost.Engine.Base;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Http;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost rebalance</c>: what the leader would move, or moves, for a tighter balance than it keeps by itself.</summary>
internal static class RebalanceCommand
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(300);

    /// <summary>How long nothing may move under another leader, who looks around several times a second and begins what it wants.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

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
        SiloInfo? leader = dry ? null : calls.SiloOf(calls.Cluster.Leader);
        string url = leader?.Url ?? calls.Url;
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

        if (leader is not null && session.Get(Settings.WatchMoves))
        {
            Follow(session, calls, plan, leader);
        }
    }

    /// <summary>
    /// Shows the moves until the copies of <paramref name="plan"/> serve and nothing is on its way any more, or another than
    /// <paramref name="leader"/> leads, who knows of no wish, and nothing moves.
    /// </summary>
    private static void Follow(Session session, AdminCalls calls, PlanReply plan, SiloInfo leader)
    {
        var watch = new MovesWatch(session);
        HashSet<(string, int, string)> before = [];
        long moved = Stopwatch.GetTimestamp();
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

            moved = cluster.Moves.Length > 0 || !serving.SetEquals(before) ? Stopwatch.GetTimestamp() : moved;
            before = serving;
            if (Stopwatch.GetElapsedTime(moved) > Patience && cluster.Silos.FirstOrDefault(silo => silo.Name == cluster.Leader) is { } leads
                && (leads.Name, leads.Epoch) != (leader.Name, leader.Epoch))
            {
                throw new ProblemException(new Problem(
                    ProblemCode.NotSupported, "rebalance", $"{leads.Name} (epoch {leads.Epoch}) leads now, and nothing moves any more",
                    $"{leader.Name} (epoch {leader.Epoch}), which knew of the wish", "What has moved stays. Ask again: signpost rebalance."));
            }

            session.Cancel.WaitHandle.WaitOne(Interval);
            session.Cancel.ThrowIfCancellationRequested();
        }
    }
}
