using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>The embedded runtime keeps the contract.</summary>
public class LocalShardClientTests : ShardClientContract
{
    protected override IShardClient ClientOf(Collection collection) => EmbeddedCluster.ClientOf(collection);
}
