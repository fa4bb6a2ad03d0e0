using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Grains;
using Signpost.Silo.Cluster;
using Signpost.Silo.Http;
using Signpost.Silo.Peers;
using Signpost.Silo.Redis;
using Signpost.Silo.S3;
using Signpost.Silo.Security;
using Signpost.Silo.Telemetry;

namespace Signpost.Silo.Cli;

/// <summary>Puts a silo of a cluster together from its settings, and runs it until it is asked to end.</summary>
internal static class SiloHost
{
    /// <summary>Serves at <paramref name="url"/>, and other silos at <paramref name="peerUrl"/>, until the session is cancelled.</summary>
    public static async Task RunAsync(Session session, string url, string peerUrl, SearchLimits limits, ServerSecurity security)
    {
        string name = session.Get(Settings.SiloName) ?? $"{Environment.MachineName}-{new Uri(url).Port}";
        TimeSpan leaseTime = TimeSpan.FromMilliseconds(session.Get(Settings.LeaseMs));
        var options = new ClusterOptions
        {
            Runtime = session.Get(Settings.Runtime).Word(),
            Cluster = session.Get(Settings.ClusterName)!,
            Silo = name,
            Zone = session.Get(Settings.Zone) ?? "",
            MemoryBytes = (long)session.Get(Settings.MemoryMiB) << 20,
            Lease = leaseTime,
            Limits = new LayoutLimits(session.Get(Settings.ShardVectorsMax), (long)session.Get(Settings.ShardMiBMax) << 20),
            Steward = new StewardOptions
            {
                Replicas = session.Get(Settings.Replicas),
                Lease = leaseTime,
                Grace = TimeSpan.FromSeconds(session.Get(Settings.GraceSeconds)),
                MovesMax = session.Get(Settings.MovesMax),
            },
            MoveBytesPerSecond = (long)session.Get(Settings.MoveMiBPerSecond) << 20,
        };
        ISegmentStore bare = SegmentStores.Open(
            session.Get(Settings.Store) ?? session.Get(Settings.DataFolder)!, session.Get(Settings.S3Endpoint), session.Get(Settings.S3Region)!,
            session.Get(Settings.S3Credentials));
        using var closing = bare as IDisposable;
        using SegmentCache cache = CacheOf(bare, session);
        RedisOptions? redis = session.Get(Settings.Redis) is { } where && where != Settings.NoRedis
            ? RedisOptions.Parse(where).OrThrow() with { Authorities = security.Authorities } : null;
        using IRuntime runtime = RuntimeOf(session, options, redis, security);
        var store = new LeasedSegmentStore(bare, runtime.State, name, TimeSpan.FromSeconds(10), TimeProvider.System);
        using var threads = new SearchThreads(session.Get(Settings.Threads), limits.QueueMax);
        Residency vectors = session.Get(Settings.Vectors) == VectorPlace.Loaded ? Residency.Loaded : Residency.Mapped;
        Throttle? throttle = options.MoveBytesPerSecond > 0 ? new Throttle(options.MoveBytesPerSecond, TimeProvider.System) : null;
        var shards = new SiloShards(FileDisk.Instance, store, cache, options.MemoryBytes, vectors, session.Get(Settings.ServedCollection), throttle);
        var lease = new SiloLease(runtime.State, name, leaseTime, TimeProvider.System);
        var grain = new ShardGrain(new SiloShardClient(lease, new LocalShardClient(name, shards.Find, shards)), threads, runtime.Limits);
        using var telemetry = new SiloTelemetry(TelemetrySettings.Read(session, name, options.Cluster), threads, Say);
        var layout = new LayoutKeeper(
            runtime.State, collection => LayoutSite.InStore(FileDisk.Instance, store, collection, cache, throttle), options.Limits, TimeSpan.FromSeconds(10),
            TimeProvider.System);
        using var silo = new ClusterSilo(
            options, runtime.State, shards, layout, lease, addressOf => new PeerShardClient(grain, runtime.PeersAt(addressOf)),
            client => new Trainer(
                runtime.State, name, store, FileDisk.Instance, client, new TrainerOptions { Lease = leaseTime, ThreadsMax = Environment.ProcessorCount }, TimeProvider.System),
            () => threads.Waiting, Say)
        {
            Traffic = () => telemetry.Traffic,
        };
        telemetry.Observe(silo, cache);
        var own = new SiloGrains(grain, silo.Decisions, new TrainingGrain(silo.Trainer, silo.TrainAsync));
        await using IPeerServer peers = await runtime.StartAsync(peerUrl, own, name => silo.Find(name)?.Map, session.Cancel);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(session.Cancel, silo.Drained);
        await new Server(silo, threads, limits, security, telemetry).RunAsync(url, TimeSpan.FromSeconds(session.Get(Settings.StopSeconds)), Started, silo.LeaveAsync, end.Token);
        if (silo.Drained.IsCancellationRequested)
        {
            session.Say($"{name} is drained: nothing is left here, it ends");
        }

        void Started(string address)
        {
            string? host = session.Get(Settings.AdvertiseHost);
            silo.Start(Advertised.Of(address, host), Advertised.Of(peers.Address.ToString(), host));
            ServeCommand.Announce(session, $"as {name} of cluster {options.Cluster}", address);
        }
    }

    private static IRuntime RuntimeOf(Session session, ClusterOptions options, RedisOptions? redis, ServerSecurity security)
    {
        if (session.Get(Settings.Runtime) == RuntimeKind.Redis)
        {
            return redis is not null ? new RedisRuntime(redis, options.Cluster, security.Peers) : throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "--redis", Settings.NoRedis, Settings.Redis.Expected, "Name a Redis; a silo of the runtime orleans can do without."));
        }

#if ORLEANS
        return new Orleans.OrleansRuntime(
            new Orleans.OrleansSiloOptions(options.Cluster, options.Silo, redis, session.Get(Settings.AdvertiseHost), options.Lease, security.Peers, Say));
#else
        throw new ProblemException(new Problem(
            ProblemCode.NotSupported, "--runtime", "orleans", "redis or embedded: this program was built without Orleans", "Build it with the property Orleans=true."));
#endif
    }

    private static void Say(string line) => Console.Error.WriteLine($"signpost: {line}");

    private static SegmentCache CacheOf(ISegmentStore store, Session session) => session.Get(Settings.Cache) switch
    {
        { } folder => SegmentCache.Open(store, FileDisk.Instance, folder, (long)session.Get(Settings.CacheMiB) << 20).OrThrow(),
        null when store is DirectorySegmentStore => SegmentCache.Direct(store),
        null => throw new ProblemException(new Problem(
            ProblemCode.InvalidArgument, "--cache", "none", "a folder of this silo's own, since the store is no folder of this machine", "Name one with --cache.")),
    };
}
