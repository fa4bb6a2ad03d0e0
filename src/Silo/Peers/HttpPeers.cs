using Signpost.Engine.Cluster;
using Signpost.Grains;
using Signpost.Grains.Wire;
using Signpost.Silo.Security;

namespace Signpost.Silo.Peers;

/// <summary>Other silos over HTTP/2.</summary>
/// <param name="addressOf">Where a silo answers others; null for one that is not known.</param>
/// <param name="limits">Sizes of messages.</param>
/// <param name="security">How silos know each other; null: they do not.</param>
internal sealed class HttpPeers(Func<SiloId, Uri?> addressOf, WireLimits limits, PeerSecurity? security = null) : IPeers
{
    private readonly PeerHttp _searches = new(security ?? PeerSecurity.None);
    private readonly PeerHttp _control = new(security ?? PeerSecurity.None); // connections of its own: searches do not wait behind megabytes

    private WireLimits Limits => limits;

    /// <inheritdoc/>
    public Func<ShardId, IShardGrain> At(SiloId silo)
    {
        var shards = new Shards(this, addressOf(silo) ?? throw new IOException($"{silo}: it is not among the members of the cluster"));
        return _ => shards;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _searches.Dispose();
        _control.Dispose();
    }

    private sealed class Shards(HttpPeers peers, Uri address) : IShardGrain
    {
        private readonly Uri _search = new(address, PeerPaths.Search);

        public Task<byte[]> SearchAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) =>
            peers._searches.PostAsync(_search, request, peers.Limits.SearchAnswerBytes, cancel);

        public Task<byte[]> SampleAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) => ControlAsync(PeerPaths.Sample, request, cancel);

        public Task<byte[]> TraceAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) => ControlAsync(PeerPaths.Trace, request, cancel);

        public Task<byte[]> EndTracesAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) => ControlAsync(PeerPaths.EndTraces, request, cancel);

        public Task<byte[]> PrepareCodesAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) => ControlAsync(PeerPaths.PrepareCodes, request, cancel);

        public Task<byte[]> DropCodesAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) => ControlAsync(PeerPaths.DropCodes, request, cancel);

        private Task<byte[]> ControlAsync(string path, ReadOnlyMemory<byte> request, CancellationToken cancel) =>
            peers._control.PostAsync(new Uri(address, path), request, peers.Limits.ControlAnswerBytes, cancel);
    }
}
