using Orleans;
using Orleans.Concurrency;

namespace Signpost.Grains.Orleans;

/// <summary>
/// <see cref="IPlacementGrain"/> of a silo as an Orleans grain, for programs of Orleans beside the shards; its key is the silo's name. Only the silo that
/// holds the leader's lease decides anything: a step of any other one writes nothing.
/// </summary>
[Alias("signpost.placement-of-silo")]
public interface IPlacementActor : IGrainWithStringKey
{
    /// <inheritdoc cref="IPlacementGrain.StepAsync"/>
    [Alias("step")]
    [ResponseTimeout("00:02:00")]
    Task<byte[]> StepAsync(CancellationToken cancel);

    /// <inheritdoc cref="IPlacementGrain.MapAsync"/>
    [Alias("map")]
    [AlwaysInterleave]
    [ResponseTimeout("00:02:00")]
    Task<byte[]> MapAsync([Immutable] byte[] request, CancellationToken cancel);
}
