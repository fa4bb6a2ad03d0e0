using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Grains;
using Signpost.Silo.Cluster;
using Signpost.Silo.Orleans;
using Signpost.Silo.Peers;
using Signpost.Silo.Security;

namespace Signpost.Cluster.Tests.Orleans;

/// <summary>
/// Two silos of Orleans over a real Redis, in this process: "b" has shards, "a" asks it. Where there is no redis-server, "b" is alone and asks
/// itself.
/// </summary>
public sealed class OrleansFixture : IAsyncLifetime
{
    private readonly RedisServer? _redis = Programs.WhyNot("redis-server") is null ? new RedisServer() : null;
    private PeerSilo? _a;
    private OrleansServer? _server;

    /// <summary>The collection that "b" serves.</summary>
    public Collection? Served { get; set; }

    /// <summary>The map by which copies are found; null: any silo may have any.</summary>
    public ShardMap? Map { get; set; }

    /// <summary>Where maps are that are asked for.</summary>
    public IClusterState State { get; } = new EmbeddedClusterState();

    /// <summary>The silo whose steps write the map.</summary>
    public string? Leader { get; set; }

    /// <summary>Where collections are that are trained.</summary>
    public string Store { get; } = Directory.CreateTempSubdirectory("signpost-test-").FullName;

    internal PeerSilo B { get; private set; } = null!;

    internal RedisServer Redis => _redis!;

    /// <summary>Orleans in the silo that asks.</summary>
    internal OrleansServer Server => _server!;

    /// <summary>Asks "b" from "a".</summary>
    internal RemoteShardClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        B = await StartAsync("b");
        _a = _redis is null ? null : await StartAsync("a");
        Client = new RemoteShardClient(new OrleansPeers(() => Server.Grains), OrleansServer.Limits);
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await (_a?.DisposeAsync() ?? default);
        await B.DisposeAsync();
        _redis?.Dispose();
        Directory.Delete(Store, recursive: true);
    }

    private Task<PeerSilo> StartAsync(string name) => PeerSilo.StartAsync(
        name, asked => asked == "test" ? Served : null, OrleansServer.Limits, listen: async own =>
        {
            var options = new OrleansSiloOptions("test", name, _redis?.Options, null, PeerSilo.LeaseTime, PeerSecurity.None, _ => { });
            var trainer = new Trainer(State, name, new DirectorySegmentStore(FileDisk.Instance, Store), FileDisk.Instance, null!, new TrainerOptions(), TimeProvider.System);
            var grains = new SiloGrains(
                own, new PlacementGrain(_ => new ValueTask<IReadOnlyList<ShardMap>>(name == Leader ? [Map!] : []), State), new TrainingGrain(trainer));
            return _server = await OrleansServer.StartAsync("http://127.0.0.1:0", options, grains, _ => Map, default);
        });
}
