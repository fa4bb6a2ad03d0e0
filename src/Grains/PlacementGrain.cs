using Signpost.Engine.Cluster;
using Signpost.Grains.Wire;

namespace Signpost.Grains;

/// <summary>The leader's decisions, made on a thread of its own.</summary>
/// <param name="step">Decides once, where this silo leads: the maps that were written.</param>
/// <param name="state">Where the maps are.</param>
public sealed class PlacementGrain(Func<CancellationToken, ValueTask<IReadOnlyList<ShardMap>>> step, IClusterState state) : IPlacementGrain
{
    private readonly OwnThreads _thread = new(1);

    /// <inheritdoc/>
    public Task<byte[]> StepAsync(CancellationToken cancel) =>
        _thread.RunAsync(() => PlacementCodec.WriteStepped(step(cancel).AsTask().GetAwaiter().GetResult()));

    /// <inheritdoc/>
    public async Task<byte[]> MapAsync(ReadOnlyMemory<byte> request, CancellationToken cancel)
    {
        string collection = Message.Parse(() => PlacementCodec.ReadMapRequest(request.Span));
        return PlacementCodec.WriteMap(await state.ReadAsync(collection, cancel).ConfigureAwait(false));
    }
}
