using System.CommandLine;
using System.Diagnostics;
using Signpost.Engine.Base;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.S3;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost push</c>: a built collection into the store from which a cluster opens it.</summary>
internal static class PushCommand
{
    public static Command Make(CancellationToken cancel) => CommandLine.Verb(
        "push",
        "Copy a built collection into a segment store, a folder or a bucket: files first, manifest last. Stopped or killed, the same command goes on.",
        cancel,
        [
            Settings.Collection, Settings.DataFolder, Settings.Store, Settings.S3Endpoint, Settings.S3Region, Settings.S3Credentials,
            Settings.OverwriteInStore, Settings.Json,
        ],
        Run);

    /// <summary>The store that the settings name; to be disposed where it can be.</summary>
    internal static ISegmentStore StoreOf(Session session)
    {
        string store = session.Get(Settings.Store) ?? throw new ProblemException(new Problem(
            ProblemCode.InvalidArgument, "--store", "none", Settings.Store.Expected, "Name it, here or as store.url in cluster.yaml."));
        return SegmentStores.Open(store, session.Get(Settings.S3Endpoint), session.Get(Settings.S3Region)!, session.Get(Settings.S3Credentials));
    }

    private static void Run(Session session)
    {
        string folder = session.CollectionFolder(session.Get(Settings.Collection)!);
        ISegmentStore store = StoreOf(session);
        using var open = store as IDisposable;
        long start = Stopwatch.GetTimestamp();
        PublishResult result = CollectionPublisher.Publish(FileDisk.Instance, folder, store, session.Get(Settings.OverwriteInStore), session.Work).OrThrow();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var report = new PushReport(result.Manifest.Name, store.Name, result.Files, result.FilesSent, result.BytesSent, seconds);
        if (session.Json)
        {
            ReportJson.Print(report, ReportJson.Default.PushReport);
            return;
        }

        session.Say(result.WasThere
            ? $"there already: {report.Collection} in {report.Store}, {PageText.Plural(report.Files, "file")}"
            : $"pushed {report.Collection} to {report.Store}: {report.FilesSent} of {PageText.Plural(report.Files, "file")}, "
                + $"{PageText.Number(report.BytesSent / 1048576.0, "N1")} MiB, {PageText.Number(seconds, "N1")} s");
    }
}
