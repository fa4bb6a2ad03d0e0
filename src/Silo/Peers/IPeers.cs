using Signpost.Engine.Cluster;
using Signpost.Grains;

namespace Signpost.Silo.Peers;

/// <summary>Other silos, as a runtime reaches them.</summary>
internal interface IPeers : IDisposable
{
    /// <summary>
    /// What asks a silo, given the first shard that a message is about. Whatever goes wrong on the way of a call is an <see cref="IOException"/>.
    /// </summary>
    /// <exception cref="IOException">The silo is not known.</exception>
    Func<ShardId, IShardGrain> At(SiloId silo);
}
