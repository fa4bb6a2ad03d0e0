using System.CommandLine;
using System.Diagnostics;
using Signpost.Client;
using Signpost.Engine.Base;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Security;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost split</c>, <c>merge</c> and <c>compact</c>: other shards for a collection that is there, and may be served meanwhile.</summary>
internal static class LayoutCommands
{
    private const string Way =
        " Servers turn to the new shards without an interruption. Stopped or killed, it leaves the old ones in use: the same command goes on.";

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    private static readonly Argument<string> Collection = new("collection")
    {
        Description = "Folder of the collection, or its name in the data folder or the store.",
        HelpName = "COLLECTION",
    };

    private static readonly Argument<int> Shard = new("shard") { Description = "Number of the shard: signpost inspect shows them.", HelpName = "SHARD" };

    private static readonly Argument<int> Other = new("other") { Description = "Number of the neighbour.", HelpName = "SHARD" };

    private static readonly Setting[] Common =
    [
        Settings.DataFolder, Settings.Store, Settings.S3Endpoint, Settings.S3Region, Settings.S3Credentials, Settings.Cache, Settings.CacheMiB,
        Settings.TurningUrl, SecuritySettings.KeyFile, SecuritySettings.Authorities, Settings.Sweep, Settings.MemoryLimitMb, Settings.Threads, Settings.Json,
    ];

    public static Command Split(CancellationToken cancel) => Make(
        "split",
        "Split a shard in two: each half is a part of the same segment, so it takes a moment; --compact gives each its own." + Way,
        cancel, [Settings.At, Settings.CompactToo, .. Common], [Collection, Shard],
        session => Run(session, session.Get(Settings.CompactToo), m => Nullable(
            LayoutChange.Split(m, session.Get(Shard), session.Given(Settings.At) ? session.Get(Settings.At) : null))));

    public static Command Merge(CancellationToken cancel) => Make(
        "merge",
        "Merge two neighbouring shards into one, whose graph is built anew, unless both are parts of one segment." + Way,
        cancel, Common, [Collection, Shard, Other],
        session => Run(session, compact: false, m => Nullable(LayoutChange.Merge(m, session.Get(Shard), session.Get(Other)))));

    public static Command Compact(CancellationToken cancel) => Make(
        "compact",
        "Give every shard that is a part of a segment a segment of its own; graphs are built anew, codes by the same quantizer." + Way,
        cancel, Common, [Collection], session => Run(session, compact: true, null));

    private static Command Make(string name, string description, CancellationToken cancel, Setting[] settings, Argument[] arguments, Action<Session> run)
    {
        Command command = CommandLine.Verb(name, description, cancel, settings, run);
        Array.ForEach(arguments, command.Arguments.Add);
        return command;
    }

    private static void Run(Session session, bool compact, Func<CollectionManifest, Outcome<LayoutChange?>>? first)
    {
        long start = Stopwatch.GetTimestamp();
        using var target = LayoutTarget.Of(session, session.Get(Collection));
        long memory = session.Given(Settings.MemoryLimitMb) ? (long)session.Get(Settings.MemoryLimitMb) << 20 : long.MaxValue;
        var replaced = new List<ManifestShard>();
        LayoutResult result = target.Site.Change(first ?? NextToCompact, memory, session.Work).OrThrow();
        for (replaced.AddRange(result.Replaced); compact && result.Replaced.Count > 0; replaced.AddRange(result.Replaced))
        {
            result = target.Site.Change(NextToCompact, memory, session.Work).OrThrow();
        }

        CollectionManifest manifest = result.Manifest;
        long? map = session.Get(Settings.TurningUrl) is { } url ? WaitUntilTurned(session, url, target.Name, manifest) : null;
        bool isSwept = map is not null || session.Get(Settings.Sweep);
        manifest = isSwept ? target.Site.Forget(session.Work).OrThrow() : manifest;
        Tell(session, new LayoutReport(
            target.Name,
            [.. replaced.Select(shard => shard.Id)],
            [.. manifest.Shards.Select(s => new LayoutReportShard(s.Id, s.SlotFrom, s.SlotTo, s.Count, s.Segment, s.Whole is not null))],
            map, isSwept, [.. manifest.Replaced.Select(shard => shard.Id)], Stopwatch.GetElapsedTime(start).TotalSeconds));
    }

    private static Outcome<LayoutChange?> NextToCompact(CollectionManifest manifest) => new(LayoutChange.Compact(manifest), null);

    private static Outcome<LayoutChange?> Nullable(Outcome<LayoutChange> change) => new(change.Value, change.Problem);

    /// <summary>Waits until a silo has a map of the shards of <paramref name="manifest"/>; returns its version.</summary>
    private static long WaitUntilTurned(Session session, string url, string collection, CollectionManifest manifest)
    {
        using SignpostClient client = Guard.ClientOf(session, url);
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            ClusterInfo cluster = client.GetClusterAsync(session.Cancel).GetAwaiter().GetResult();
            CollectionMap map = cluster.Collections.FirstOrDefault(c => c.Name == collection) ?? throw new ProblemException(new Problem(
                ProblemCode.NotFound, $"collection {collection} at {url}", "none", "a server of this collection", "Name another server, or none."));
            int turned = map.Shards.Count(shard => manifest.Shards.Any(s => s.Id == shard.Shard));
            if (turned == map.Shards.Length && turned == manifest.Shards.Count)
            {
                return map.MapVersion;
            }

            session.Report(new PhaseProgress("waiting for the servers to turn", turned, Math.Max(turned + 1, manifest.Shards.Count), Stopwatch.GetElapsedTime(start)));
            session.Cancel.WaitHandle.WaitOne(LookEvery);
            session.Cancel.ThrowIfCancellationRequested();
        }
    }

    private static void Tell(Session session, LayoutReport report)
    {
        if (session.Json)
        {
            ReportJson.Print(report, ReportJson.Default.LayoutReport);
            return;
        }

        session.Say(report.Replaced.Length == 0
            ? $"there already: {PageText.Plural(report.Shards.Length, "shard")} of {report.Collection}"
            : $"{report.Collection} has {PageText.Plural(report.Shards.Length, "shard")} now, {PageText.Number(report.Seconds, "N1")} s: "
                + string.Join(", ", report.Shards.Select(s => $"{s.Shard} ({PageText.Number(s.Vectors, "N0")} vectors{(s.IsPart ? ", part of a segment" : "")})")));
        if (report.MapVersion is { } version)
        {
            session.Say($"servers have turned to them, by shard map {version}");
        }

        if (report.Kept.Length > 0)
        {
            session.Say($"the files of what they replaced stay until you say: {Shell.Line("compact", report.Collection, "--sweep")}, when every server has turned");
        }
    }
}
