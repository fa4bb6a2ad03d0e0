using Orleans;
using Orleans.Runtime;
using Signpost.Engine.Cluster;
using Signpost.Grains.Wire;
using Signpost.Silo.Cluster;
using Signpost.Silo.Peers;
using Signpost.Silo.Redis;

namespace Signpost.Silo.Orleans;

/// <summary>
/// Silos that ask each other by Orleans grains. Maps, leases and notes are in the Redis through which Orleans clusters too; a silo without
/// a Redis is alone, and agrees with itself.
/// </summary>
internal sealed class OrleansRuntime : IRuntime
{
    private readonly OrleansSiloOptions _options;
    private readonly OrleansClusterState _state;
    private OrleansServer? _server;

    /// <param name="options">What the silo is told.</param>
    public OrleansRuntime(OrleansSiloOptions options)
    {
        _options = options;
        IClusterState kept = options.Redis is { } redis ? new RedisClusterState(redis, options.Cluster) : new EmbeddedClusterState();
        _state = new OrleansClusterState(kept, () => Volatile.Read(ref _server)?.Members.CurrentSnapshot);
    }

    /// <inheritdoc/>
    public IClusterState State => _state;

    /// <inheritdoc/>
    public WireLimits Limits => OrleansServer.Limits;

    /// <inheritdoc/>
    public IPeers PeersAt(Func<SiloId, Uri?> addressOf) =>
        new OrleansPeers(() => Volatile.Read(ref _server)?.Grains ?? throw new IOException("Orleans has not started yet"));

    /// <inheritdoc/>
    public async Task<IPeerServer> StartAsync(string peerUrl, SiloGrains own, Func<string, ShardMap?> mapOf, CancellationToken cancel)
    {
        OrleansServer server = await OrleansServer.StartAsync(peerUrl, _options, own, mapOf, cancel);
        Volatile.Write(ref _server, server);
        return server;
    }

    /// <inheritdoc/>
    public void Dispose() => _state.Dispose();
}
