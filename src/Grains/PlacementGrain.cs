using Signpost.Engine.Cluster;
using Signpost.Grains.Wire;

namespace Signpost.Grains;

/// <summary>The leader's decisions.</summary>
/// <param name="steward">Decides.</param>
/// <param name="state">Where the maps are.</param>
public sealed class PlacementGrain(Steward steward, IClusterState state) : IPlacementGrain
{
    /// <inheritdoc/>
    public async Task<byte[]> StepAsync(CancellationToken cancel) =>
        PlacementCodec.WriteStepped(await steward.StepAsync(cancel).ConfigureAwait(false));

    /// <inheritdoc/>
    public async Task<byte[]> MapAsync(ReadOnlyMemory<byte> request, CancellationToken cancel)
    {
        string collection = Message.Parse(() => PlacementCodec.ReadMapRequest(request.Span));
        return PlacementCodec.WriteMap(await state.ReadAsync(collection, cancel).ConfigureAwait(false));
    }
}
