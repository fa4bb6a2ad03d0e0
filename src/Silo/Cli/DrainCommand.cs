using System.CommandLine;
using System.Diagnostics;
using Signpost.Client;
using Signpost.Engine.Base;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Http;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost drain</c>: lets everything leave a silo, which then ends by itself.</summary>
internal static class DrainCommand
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(300);

    /// <summary>
    /// Answers in a row that must say that a silo does not drain any more: any silo may answer, and one may not know yet what another
    /// has told. They look around every half second, and this is over two seconds.
    /// </summary>
    private const int Denials = 8;

    private static readonly Argument<string?> Silo = new("silo")
    {
        Description = "Name of the silo; without it the one that is asked.",
        HelpName = "SILO",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static Command Make(CancellationToken cancel)
    {
        Command command = CommandLine.Verb(
            "drain",
            "Move everything away from a silo, which then ends by itself with exit code 0. Shows the moves; Ctrl-C ends only the showing.",
            cancel,
            [.. AdminCalls.Settings, Settings.CancelDrain, Settings.ForceDrain, Settings.DryRun, Settings.WatchDrain, Settings.Json],
            Run);
        command.Arguments.Add(Silo);
        return command;
    }

    private static void Run(Session session)
    {
        using var calls = new AdminCalls(session);
        string name = session.Find(Silo) ?? calls.Cluster.Silo;
        DrainReply reply = Ask(calls, session, name);
        bool isShort = session.Get(Settings.CancelDrain) || session.Get(Settings.DryRun);
        if (isShort && session.Json)
        {
            ReportJson.Print(reply, ReportJson.Default.DrainReply);
        }
        else if (session.Get(Settings.CancelDrain))
        {
            session.Say($"{name} is not drained any more; moves that have begun may end");
        }
        else
        {
            session.Say($"{name} {(session.Get(Settings.DryRun) ? "would be drained" : "drains")}: {PageText.Plural(reply.Plan.Moves.Length, "move")}, "
                + $"{PageText.Number(reply.Plan.Bytes / 1048576.0, "N1")} MiB{PlanTable.Time(reply.Plan)}");
            if (session.Get(Settings.DryRun))
            {
                PlanTable.Print(session, reply.Plan);
            }
        }

        if (!isShort)
        {
            Follow(session, calls, name);
        }
    }

    private static DrainReply Ask(AdminCalls calls, Session session, string name) => calls.Post(
        calls.SiloOf(name).Url,
        AdminApi.DrainPath,
        new DrainBody
        {
            Silo = name,
            Cancel = session.Get(Settings.CancelDrain),
            Force = session.Get(Settings.ForceDrain),
            DryRun = session.Get(Settings.DryRun),
        },
        Wire.Json.DrainBody,
        Wire.Json.DrainReply);

    /// <summary>Shows the moves until the silo is gone and no map names it.</summary>
    private static void Follow(Session session, AdminCalls calls, string name)
    {
        long start = Stopwatch.GetTimestamp();
        var watch = new MovesWatch(session);
        int collections = calls.Cluster.Collections.Length;
        int? denied = null; // in a row, since somebody last said that it drains
        for (session.Cancel.ThrowIfCancellationRequested(); ; session.Cancel.ThrowIfCancellationRequested())
        {
            ClusterInfo cluster = calls.Look(butNot: name);
            if (!IsWhole(cluster, collections))
            {
                session.Cancel.WaitHandle.WaitOne(Interval);
                continue;
            }

            watch.See(cluster);
            string? state = cluster.Silos.FirstOrDefault(silo => silo.Name == name)?.State;
            int left = cluster.Collections.SelectMany(c => c.Shards).Count(shard => shard.Replicas.Any(replica => replica.Silo == name));
            if (state is null && left == 0)
            {
                break;
            }

            denied = state == "draining" ? 0 : denied;
            if (state == "serving" && ++denied == Denials)
            {
                denied = null;
                if (!session.Get(Settings.WatchDrain))
                {
                    throw new ProblemException(new Problem(
                        ProblemCode.NotSupported, name, "it does not drain any more: somebody took it back, it was started anew, or too few others would stay", "a silo that drains",
                        $"Drain it again; with --{Settings.WatchDrain.Name} this command does so itself."));
                }

                session.Say($"{name} does not drain any more: asked again");
                Ask(calls, session, name);
            }

            session.Cancel.WaitHandle.WaitOne(Interval);
        }

        Tell(session, name, watch, start);
    }

    /// <summary>Whether the silo that answered has looked around: one that has just started knows of nobody.</summary>
    private static bool IsWhole(ClusterInfo cluster, int collections) =>
        cluster.Silos.Any(silo => silo.Name == cluster.Silo) && cluster.Collections.Length >= collections;

    private static void Tell(Session session, string name, MovesWatch watch, long start)
    {
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (session.Json)
        {
            ReportJson.Print(new DrainReport(name, seconds, watch.Ended.Sum(move => move.Bytes), [.. watch.Ended]), ReportJson.Default.DrainReport);
        }
        else
        {
            session.Say($"{name} is drained and has ended, after {PageText.Number(seconds, "N1")} s");
        }
    }
}
