using Orleans;
using Orleans.Placement;

namespace Signpost.Grains.Orleans;

/// <summary>
/// Hands messages to the shards of its silo. It holds nothing: an activation that is lost and made again loses nothing, and the index
/// stays where it is.
/// </summary>
/// <param name="shards">The shards of the silo.</param>
[Immovable]
[SiloPlacement]
public sealed class ShardActor(ShardGrain shards) : Grain, IShardActor
{
    /// <inheritdoc/>
    public Task<byte[]> SearchAsync(byte[] request, CancellationToken cancel) => Refusal.InWordsAsync(shards.SearchAsync(request, cancel));

    /// <inheritdoc/>
    public Task<byte[]> SampleAsync(byte[] request, CancellationToken cancel) => Refusal.InWordsAsync(shards.SampleAsync(request, cancel));

    /// <inheritdoc/>
    public Task<byte[]> TraceAsync(byte[] request, CancellationToken cancel) => Refusal.InWordsAsync(shards.TraceAsync(request, cancel));

    /// <inheritdoc/>
    public Task<byte[]> EndTracesAsync(byte[] request, CancellationToken cancel) => Refusal.InWordsAsync(shards.EndTracesAsync(request, cancel));

    /// <inheritdoc/>
    public Task<byte[]> PrepareCodesAsync(byte[] request, CancellationToken cancel) => Refusal.InWordsAsync(shards.PrepareCodesAsync(request, cancel));

    /// <inheritdoc/>
    public Task<byte[]> DropCodesAsync(byte[] request, CancellationToken cancel) => Refusal.InWordsAsync(shards.DropCodesAsync(request, cancel));
}
