using Orleans;
using Orleans.Placement;

namespace Signpost.Grains.Orleans;

/// <summary>Hands messages to the leader's decisions in its silo.</summary>
/// <param name="placement">Of the silo.</param>
[Immovable]
[SiloPlacement]
public sealed class PlacementActor(IPlacementGrain placement) : Grain, IPlacementActor
{
    /// <inheritdoc/>
    public Task<byte[]> StepAsync(CancellationToken cancel) => Refusal.InWordsAsync(placement.StepAsync(cancel));

    /// <inheritdoc/>
    public Task<byte[]> MapAsync(byte[] request, CancellationToken cancel) => Refusal.InWordsAsync(placement.MapAsync(request, cancel));
}
