using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;
using Signpost.Engine.Tests.Cluster;

namespace Signpost.Cluster.Tests.Orleans;

/// <summary>Calls between silos of Orleans keep the contract.</summary>
public sealed class OrleansShardClientTests(OrleansFixture orleans) : ShardClientContract, IClassFixture<OrleansFixture>
{
    protected override SiloId Silo => orleans.B.Id;

    protected override IShardClient ClientOf(Collection collection)
    {
        orleans.Served = collection;
        return orleans.Client;
    }
}
