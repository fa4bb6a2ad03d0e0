using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;
using Signpost.Grains;
using Signpost.Grains.Wire;
using Signpost.Silo.Cluster;
using Signpost.Silo.Peers;
using Signpost.Silo.Security;

namespace Signpost.Cluster.Tests.Support;

/// <summary>A silo that answers others on a port of this machine, under a lease of the cluster's state.</summary>
internal sealed class PeerSilo : IAsyncDisposable
{
    /// <summary>Duration of its lease.</summary>
    public static readonly TimeSpan LeaseTime = TimeSpan.FromMinutes(1);

    private readonly IPeerServer _server;

    private PeerSilo(SiloLease lease, SearchThreads threads, ShardGrain shards, IPeerServer server)
    {
        Lease = lease;
        Threads = threads;
        Shards = shards;
        _server = server;
    }

    /// <summary>Its membership.</summary>
    public SiloLease Lease { get; }

    /// <summary>Its name and epoch.</summary>
    public SiloId Id => Lease.Silo!.Value;

    public SearchThreads Threads { get; }

    public ShardGrain Shards { get; }

    /// <summary>Where it answers others.</summary>
    public Uri Address => _server.Address;

    /// <summary>Starts a silo.</summary>
    public static async Task<PeerSilo> StartAsync(
        string name, Func<string, Collection?> collectionOf, WireLimits? limits = null, int threads = 2, int queue = 4096, TimeProvider? time = null,
        string url = "http://127.0.0.1:0", PeerSecurity? security = null, Func<ShardGrain, Task<IPeerServer>>? listen = null)
    {
        var lease = new SiloLease(new EmbeddedClusterState(), name, LeaseTime, time ?? TimeProvider.System);
        Assert.True(lease.Beat("", default));
        var searchThreads = new SearchThreads(threads, queue);
        var shards = new ShardGrain(new SiloShardClient(lease, new LocalShardClient(name, collectionOf)), searchThreads, limits ?? new WireLimits());
        listen ??= async own => await PeerServer.StartAsync(url, own, default, security);
        return new PeerSilo(lease, searchThreads, shards, await listen(shards));
    }

    /// <summary>Ends it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Threads.Dispose();
    }
}
