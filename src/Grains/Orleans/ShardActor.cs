using Orleans;
using Orleans.Placement;
using Signpost.Engine.Base;

namespace Signpost.Grains.Orleans;

/// <summary>
/// Hands messages to the shards of its silo. It holds nothing: an activation that is lost and made again loses nothing, and the index
/// stays where it is.
/// </summary>
/// <param name="shards">The shards of the silo.</param>
[Immovable]
[ShardPlacement]
public sealed class ShardActor(ShardGrain shards) : Grain, IShardActor
{
    /// <inheritdoc/>
    public Task<byte[]> SearchAsync(byte[] request, CancellationToken cancel) => AnswerAsync(shards.SearchAsync(request, cancel));

    /// <inheritdoc/>
    public Task<byte[]> SampleAsync(byte[] request, CancellationToken cancel) => AnswerAsync(shards.SampleAsync(request, cancel));

    /// <inheritdoc/>
    public Task<byte[]> TraceAsync(byte[] request, CancellationToken cancel) => AnswerAsync(shards.TraceAsync(request, cancel));

    /// <inheritdoc/>
    public Task<byte[]> EndTracesAsync(byte[] request, CancellationToken cancel) => AnswerAsync(shards.EndTracesAsync(request, cancel));

    /// <inheritdoc/>
    public Task<byte[]> PrepareCodesAsync(byte[] request, CancellationToken cancel) => AnswerAsync(shards.PrepareCodesAsync(request, cancel));

    /// <inheritdoc/>
    public Task<byte[]> DropCodesAsync(byte[] request, CancellationToken cancel) => AnswerAsync(shards.DropCodesAsync(request, cancel));

    /// <summary>The answer; a problem travels as its words, which need nothing of ours to be read.</summary>
    private static async Task<byte[]> AnswerAsync(Task<byte[]> call)
    {
        try
        {
            return await call;
        }
        catch (ProblemException e)
        {
            throw new IOException(e.Message);
        }
    }
}
