using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;
using Signpost.Engine.Tests.Cluster;
using Signpost.Grains.Wire;
using Signpost.Silo.Peers;

namespace Signpost.Cluster.Tests.Contract;

/// <summary>Calls between silos keep the contract.</summary>
public sealed class RemoteShardClientTests : ShardClientContract, IAsyncLifetime
{
    private PeerSilo _silo = null!;
    private RemoteShardClient _client = null!;
    private Collection? _served;

    protected override SiloId Silo => _silo.Id;

    public async Task InitializeAsync()
    {
        _silo = await PeerSilo.StartAsync("b", _ => _served);
        _client = new RemoteShardClient(_ => _silo.Address, new WireLimits());
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
