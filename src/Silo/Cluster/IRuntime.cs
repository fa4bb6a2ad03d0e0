using Signpost.Engine.Cluster;
using Signpost.Grains;
using Signpost.Grains.Wire;
using Signpost.Silo.Peers;

namespace Signpost.Silo.Cluster;

/// <summary>What a cluster runs on: where its silos agree, and how they reach each other. The same composition of a silo stands on any of them.</summary>
internal interface IRuntime : IDisposable
{
    /// <summary>Where the silos agree.</summary>
    IClusterState State { get; }

    /// <summary>Sizes of messages that it can carry.</summary>
    WireLimits Limits { get; }

    /// <summary>Other silos, to be asked once this one has started to answer.</summary>
    /// <param name="addressOf">Where a silo answers others; null for one that is not known.</param>
    IPeers PeersAt(Func<SiloId, Uri?> addressOf);

    /// <summary>Starts to answer other silos.</summary>
    /// <param name="peerUrl">Address, http://HOST:PORT; port 0 takes a free one.</param>
    /// <param name="own">What they may ask this one.</param>
    /// <param name="mapOf">The map of a collection that this silo uses; null where it has none.</param>
    /// <param name="cancel">Ends the start.</param>
    Task<IPeerServer> StartAsync(string peerUrl, SiloGrains own, Func<string, ShardMap?> mapOf, CancellationToken cancel);
}

/// <summary>The roles of a silo that others may ask.</summary>
/// <param name="Shards">Its shards.</param>
/// <param name="Placement">What it decides while it leads.</param>
/// <param name="Training">Its part in trainings.</param>
internal sealed record SiloGrains(ShardGrain Shards, IPlacementGrain Placement, ITrainingGrain Training);

/// <summary>Answers other silos until it is disposed.</summary>
internal interface IPeerServer : IAsyncDisposable
{
    /// <summary>Where, with the real port.</summary>
    Uri Address { get; }
}
