using System.CommandLine;
using System.Diagnostics;
using Signpost.Client;
using Signpost.Engine.Base;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Redis;
using Signpost.Silo.Security;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost up</c>: a cluster of real processes on this machine, until Ctrl-C.</summary>
internal static class UpCommand
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(20);

    public static Command Make(CancellationToken cancel) => CommandLine.Verb(
        "up",
        "Start a cluster of several silos on this machine, each a process of its own, and a Redis for them unless one is named. Ctrl-C ends all.",
        cancel,
        [
            Settings.Silos, Settings.SilosRuntime, Settings.ServedCollection, Settings.DataFolder, Settings.Store, Settings.FirstPort, Settings.OptionalRedis, Settings.Replicas,
            Settings.LeaseMs, Settings.GraceSeconds, Settings.Cache, Settings.SiloThreads, Settings.Vectors, SecuritySettings.KeyFile, Settings.Json,
        ],
        Run);

    private static void Run(Session session)
    {
        string? collection = session.Get(Settings.ServedCollection);
        string folder = collection is null ? "" : Path.GetFullPath(session.CollectionFolder(collection));
        string store = collection is null ? session.Get(Settings.Store) ?? session.Get(Settings.DataFolder)! : Path.GetDirectoryName(folder)!;
        using LocalRedis? own = session.Get(Settings.OptionalRedis) is null ? new LocalRedis(Say("redis")) : null;
        string redis = own?.Address ?? session.Get(Settings.OptionalRedis)!;
        var silos = new List<ChildProcess>();
        try
        {
            for (int i = 1; i <= session.Get(Settings.Silos); i++)
            {
                string name = $"silo-{i}";
                string[] words =
                [
                    "serve", "--runtime", session.Get(Settings.SilosRuntime).Word(), "--cluster", $"up-{Environment.ProcessId}", "--silo", name, "--store", store,
                    "--url", $"http://127.0.0.1:{session.Get(Settings.FirstPort) + i - 1}", "--peer-url", "http://127.0.0.1:0",
                    "--replicas", $"{session.Get(Settings.Replicas)}", "--lease-ms", $"{session.Get(Settings.LeaseMs)}",
                    "--grace-seconds", $"{session.Get(Settings.GraceSeconds)}", "--threads", $"{session.Get(Settings.SiloThreads)}",
                    "--vectors", session.Get(Settings.Vectors) == VectorPlace.Loaded ? "loaded" : "mapped", "--quiet",
                    .. collection is null ? Array.Empty<string>() : ["--collection", Path.GetFileName(folder)],
                    .. session.Get(Settings.Cache) is { } cache ? ["--cache", Path.Combine(Path.GetFullPath(cache), name)] : Array.Empty<string>(),
                ];
                silos.Add(ChildProcess.Signpost(name, words, Say(name), (Settings.RedisVariable, redis)));
            }

            string[] urls = [.. silos.Select(silo => AddressOf(silo, session.Cancel))];
            using SignpostClient client = Guard.ClientOf(session, urls);
            ClusterInfo cluster = WaitUntilWhole(client, session, silos);
            Announce(session, cluster, urls, silos, RedisOptions.Parse(redis).OrThrow());
            session.Cancel.WaitHandle.WaitOne();
        }
        finally
        {
            silos.ForEach(silo => silo.Stop());
            silos.ForEach(silo => silo.End(StopTime));
            silos.ForEach(silo => silo.Dispose());
        }
    }

    private static Action<string> Say(string name) => line => Console.Error.WriteLine($"{name}: {line}");

    private static string AddressOf(ChildProcess silo, CancellationToken cancel)
    {
        string line = silo.FirstLine(cancel);
        int at = line.IndexOf("http://", StringComparison.Ordinal);
        return at >= 0 ? line[at..].Split(' ')[0] : throw new ProblemException(new Problem(
            ProblemCode.InvalidArgument, silo.Name, line.Length > 0 ? line : "it ended", "a silo that starts", "See what it has said above."));
    }

    /// <summary>Waits until every shard has as many copies as it is to have; shows how many do.</summary>
    private static ClusterInfo WaitUntilWhole(SignpostClient client, Session session, List<ChildProcess> silos)
    {
        long start = Stopwatch.GetTimestamp();
        int wanted = Math.Min(session.Get(Settings.Replicas), silos.Count);
        while (true)
        {
            session.Cancel.ThrowIfCancellationRequested();
            if (silos.FirstOrDefault(silo => !silo.IsRunning) is { } dead)
            {
                throw new ProblemException(new Problem(
                    ProblemCode.InvalidArgument, dead.Name, "it ended", "a silo that runs", "See what it has said above."));
            }

            ClusterInfo cluster = client.GetClusterAsync(session.Cancel).GetAwaiter().GetResult();
            int all = cluster.Collections.Sum(c => c.Shards.Length) * wanted;
            int serving = cluster.Collections.SelectMany(c => c.Shards).Sum(s => Math.Min(wanted, s.Replicas.Count(r => r.State == "serving")));
            session.Report(new PhaseProgress("open shards", serving, Math.Max(all, 1), Stopwatch.GetElapsedTime(start)));
            if (all > 0 && serving == all && cluster.Silos.Length == silos.Count)
            {
                return cluster;
            }

            session.Cancel.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(200));
        }
    }

    private static void Announce(Session session, ClusterInfo cluster, string[] urls, List<ChildProcess> silos, RedisOptions redis)
    {
        if (session.Json)
        {
            var report = new UpReport(cluster.Cluster, redis.ToString(), [.. silos.Select((silo, i) => new UpSilo(silo.Name, urls[i], silo.Id))]);
            ReportJson.Print(report, ReportJson.Default.UpReport);
            return;
        }

        ClusterTable.Print(session, cluster);
        session.Say($"ask any of {string.Join("  ", urls)}; kill one (kill -9 {silos[^1].Id} is {silos[^1].Name}) and ask on");
        session.Say($"try: {Shell.Line("cluster", "--url", urls[0])}   and   curl {urls[0]}/v1/collections");
        session.Say("Ctrl-C ends all of them");
    }
}
