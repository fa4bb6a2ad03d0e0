using Signpost.Engine.Cluster;
using Signpost.Grains.Wire;
using Signpost.Silo.Peers;
using Signpost.Silo.Redis;
using Signpost.Silo.Security;

namespace Signpost.Silo.Cluster;

/// <summary>Silos that agree through Redis and ask each other over HTTP/2.</summary>
/// <param name="redis">Where Redis is.</param>
/// <param name="cluster">Name of the cluster.</param>
/// <param name="security">How silos know each other.</param>
internal sealed class RedisRuntime(RedisOptions redis, string cluster, PeerSecurity security) : IRuntime
{
    private readonly RedisClusterState _state = new(redis, cluster);

    /// <inheritdoc/>
    public IClusterState State => _state;

    /// <inheritdoc/>
    public WireLimits Limits { get; } = new();

    /// <inheritdoc/>
    public IPeers PeersAt(Func<SiloId, Uri?> addressOf) => new HttpPeers(addressOf, Limits, security);

    /// <inheritdoc/>
    public async Task<IPeerServer> StartAsync(string peerUrl, SiloGrains own, Func<string, ShardMap?> mapOf, CancellationToken cancel) =>
        await PeerServer.StartAsync(peerUrl, own.Shards, cancel, security);

    /// <inheritdoc/>
    public void Dispose() => _state.Dispose();
}
