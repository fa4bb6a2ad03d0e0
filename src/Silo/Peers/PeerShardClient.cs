using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;
using Signpost.Grains;
using Signpost.Silo.Security;

namespace Signpost.Silo.Peers;

/// <summary>Asks shards of this silo by a method call and those of other silos by messages.</summary>
internal sealed class PeerShardClient : IShardClient, IDisposable
{
    private readonly OwnShardClient _own;
    private readonly RemoteShardClient _remote;

    /// <param name="own">The shards of this silo.</param>
    /// <param name="addressOf">Where a silo answers others; null for one that is not known.</param>
    /// <param name="security">How silos know each other; null: they do not.</param>
    public PeerShardClient(ShardGrain own, Func<SiloId, Uri?> addressOf, PeerSecurity? security = null)
        : this(own, new HttpPeers(addressOf, own.Limits, security))
    {
    }

    /// <param name="own">The shards of this silo.</param>
    /// <param name="peers">Other silos; disposed with it.</param>
    public PeerShardClient(ShardGrain own, IPeers peers)
    {
        _own = new OwnShardClient(own);
        _remote = new RemoteShardClient(peers, own.Limits);
    }

    /// <inheritdoc/>
    public string Here => _own.Here;

    /// <inheritdoc/>
    public void Dispose() => _remote.Dispose();

    /// <inheritdoc/>
    public ValueTask<ShardAnswer> SearchAsync(SiloId silo, ShardQuery query, Deadline deadline, CancellationToken cancel) =>
        At(silo).SearchAsync(silo, query, deadline, cancel);

    /// <inheritdoc/>
    public ValueTask<VectorBlock> SampleAsync(ReplicaId replica, int count, ulong seed, CancellationToken cancel) =>
        At(replica.Silo).SampleAsync(replica, count, seed, cancel);

    /// <inheritdoc/>
    public ValueTask<Outcome<ShardTrace>> TraceAsync(ReplicaId replica, TraceRequest request, Work work) =>
        At(replica.Silo).TraceAsync(replica, request, work);

    /// <inheritdoc/>
    public ValueTask EndTracesAsync(ReplicaId replica, CancellationToken cancel) => At(replica.Silo).EndTracesAsync(replica, cancel);

    /// <inheritdoc/>
    public ValueTask<Outcome<string>> PrepareCodesAsync(ReplicaId replica, string quantizerFile, Work work) =>
        At(replica.Silo).PrepareCodesAsync(replica, quantizerFile, work);

    /// <inheritdoc/>
    public ValueTask DropCodesAsync(ReplicaId replica, uint codesVersion, CancellationToken cancel) =>
        At(replica.Silo).DropCodesAsync(replica, codesVersion, cancel);

    private IShardClient At(SiloId silo) => silo.Name == Here ? _own : _remote;
}
