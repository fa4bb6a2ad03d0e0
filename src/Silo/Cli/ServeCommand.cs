using System.CommandLine;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Storage;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Http;
using Signpost.Silo.Security;
using Signpost.Silo.Telemetry;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost serve</c>: collections over HTTP, until SIGTERM or Ctrl-C.</summary>
internal static class ServeCommand
{
    public static Command Make(CancellationToken cancel) => CommandLine.Verb(
        "serve",
        "Serve collections over HTTP. SIGTERM or Ctrl-C ends it in order: running requests are answered.",
        cancel,
        [
            Settings.ServedCollection, Settings.DataFolder, Settings.Url, Settings.Threads, Settings.K, Settings.L, Settings.Mode, Settings.Rerank,
            Settings.TimeoutMs, Settings.TimeoutMsMax, Settings.QueueMax, Settings.BatchMax, Settings.RequestMiBMax, Settings.StopSeconds,
            Settings.Vectors,
            Settings.Runtime, Settings.ClusterName, Settings.SiloName, Settings.Zone, Settings.PeerUrl, Settings.AdvertiseHost, Settings.Redis, Settings.Replicas, Settings.LeaseMs,
            Settings.GraceSeconds, Settings.MemoryMiB, Settings.Store, Settings.Cache, Settings.CacheMiB, Settings.ShardVectorsMax, Settings.ShardMiBMax,
            Settings.S3Endpoint, Settings.S3Region, Settings.S3Credentials, Settings.MovesMax, Settings.MoveMiBPerSecond, Settings.Json,
            .. TelemetrySettings.All, .. SecuritySettings.InFile,
        ],
        Run);

    private static void Run(Session session)
    {
        string url = CheckedUrl(session.Get(Settings.Url)!);
        string? peerUrl = session.Get(Settings.Runtime) != RuntimeKind.Embedded ? CheckedUrl(session.Get(Settings.PeerUrl)!) : null;
        ServerSecurity security = Guard.Open(session, new Uri(url), peerUrl is null ? null : new Uri(peerUrl));
        var limits = new SearchLimits
        {
            Defaults = SearchCommand.Defaults(session),
            TimeoutMs = session.Get(Settings.TimeoutMs),
            TimeoutMsMax = session.Get(Settings.TimeoutMsMax),
            BatchMax = session.Get(Settings.BatchMax),
            QueueMax = session.Get(Settings.QueueMax),
            RequestBytesMax = (long)session.Get(Settings.RequestMiBMax) << 20,
        };
        if (peerUrl is not null)
        {
            SiloHost.RunAsync(session, url, peerUrl, limits, security).GetAwaiter().GetResult();
        }
        else
        {
            RunAlone(session, url, limits, security);
        }
    }

    private static void RunAlone(Session session, string url, SearchLimits limits, ServerSecurity security)
    {
        var collections = new Dictionary<string, OpenCollection>(StringComparer.Ordinal);
        var state = new EmbeddedClusterState();
        try
        {
            foreach (string folder in Folders(session))
            {
                OpenCollection collection = OpenCollection.Open(folder, session.Get(Settings.Vectors), requireAll: false, session.Work, state);
                collections.Add(collection.Facts.Collection, collection);
                foreach (string missing in collection.Missing)
                {
                    Console.Error.WriteLine($"signpost: left out, answers of {collection.Facts.Collection} are partial: {missing}");
                }
            }

            void Say(string line) => Console.Error.WriteLine($"signpost: {line}");
            using var watch = new CodesWatch(collections.Values, Say);
            using var threads = new SearchThreads(session.Get(Settings.Threads), limits.QueueMax);
            using var telemetry = new SiloTelemetry(
                TelemetrySettings.Read(session, EmbeddedCluster.Silo, null), threads, Say);
            string root = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(collections.Values.First().Folder)))!;
            using var served = new ServedFolders(root, collections, state, session.Get(Settings.Threads), Say);
            telemetry.Observe(served, null);
            new Server(served, threads, limits, security, telemetry)
                .RunAsync(
                    url, TimeSpan.FromSeconds(session.Get(Settings.StopSeconds)), address => Announce(session, string.Join(", ", collections.Keys.Order()), address),
                    () => Task.CompletedTask, session.Cancel)
                .GetAwaiter().GetResult();
        }
        finally
        {
            foreach (OpenCollection collection in collections.Values)
            {
                collection.Dispose();
            }
        }
    }

    /// <summary>Says where to ask, and what.</summary>
    internal static void Announce(Session session, string served, string address)
    {
        if (session.Json)
        {
            ReportJson.Print(new ServeReport(address, served, Environment.ProcessId), ReportJson.Default.ServeReport);
            return;
        }

        session.Say($"serving {served} at {address}");
        session.Say($"try: curl {address}/v1/collections   and   {address}/openapi/v1.json");
    }

    private static IReadOnlyList<string> Folders(Session session)
    {
        if (session.Get(Settings.ServedCollection) is { } named)
        {
            return [session.CollectionFolder(named)];
        }

        string data = session.Get(Settings.DataFolder)!;
        string[] found = Directory.Exists(data)
            ? [.. Directory.EnumerateDirectories(data).Where(d => File.Exists(Path.Combine(d, CollectionManifest.FileName))).Order(StringComparer.Ordinal)]
            : [];
        return found.Length > 0 ? found : throw new ProblemException(new Problem(
            ProblemCode.NotFound, "collections", $"none in the data folder {data}", "at least one", "Build one, or name one with --collection."));
    }

    /// <summary>A name other than localhost is refused: Kestrel would take it for every network of this machine.</summary>
    private static string CheckedUrl(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri.PathAndQuery == "/"
            && (uri.Host == "localhost" || uri.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6)
            ? url
            : throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "--url", $"'{url}'", $"{Settings.Url.Expected}, HOST an address or localhost, PORT at most 65535",
                $"Write it like {Settings.Url.Fallback}; http://0.0.0.0:7700 is every network; the name that others use is cluster.advertise_host."));
}
