using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;
using Signpost.Engine.Tests.Cluster;
using Signpost.Silo.Peers;

namespace Signpost.Cluster.Tests.Contract;

/// <summary>Calls of a silo to itself, from a thread of the pool, keep the contract.</summary>
public sealed class OwnShardClientTests : ShardClientContract, IAsyncLifetime
{
    private PeerSilo _silo = null!;
    private PeerShardClient _client = null!;
    private Collection? _served;

    protected override SiloId Silo => _silo.Id;

    public async Task InitializeAsync()
    {
        _silo = await PeerSilo.StartAsync("a", _ => _served);
        _client = new PeerShardClient(_silo.Shards, _ => null);
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _silo.DisposeAsync();
    }

    protected override IShardClient ClientOf(Collection collection)
    {
        _served = collection;
        return _client;
    }
}
