namespace Signpost.Grains;

/// <summary>
/// The shards of one silo, asked by another. Messages are byte blocks (MessagePack, see Wire), so that any transport carries them. A
/// request that cannot be answered at all ends in a <see cref="Engine.Base.ProblemException"/>, with nothing changed: malformed, of another
/// version, meant for another silo or an earlier epoch of this one, beyond the limits.
/// </summary>
public interface IShardGrain
{
    /// <summary>Several searches, each answered for itself: <c>SearchCodec</c> in, <c>SearchAnswerCodec</c> out.</summary>
    Task<byte[]> SearchAsync(ReadOnlyMemory<byte> request, CancellationToken cancel);

    /// <summary>Vectors of a shard, chosen at random: <c>SampleCodec</c>.</summary>
    Task<byte[]> SampleAsync(ReadOnlyMemory<byte> request, CancellationToken cancel);

    /// <summary>What a shard's graph and codes show to a training: <c>TraceCodec</c>.</summary>
    Task<byte[]> TraceAsync(ReadOnlyMemory<byte> request, CancellationToken cancel);

    /// <summary>Lets go what was kept for traces: <c>ShardCodec</c>.</summary>
    Task<byte[]> EndTracesAsync(ReadOnlyMemory<byte> request, CancellationToken cancel);

    /// <summary>Makes a shard ready for other codes: <c>CodesCodec</c>.</summary>
    Task<byte[]> PrepareCodesAsync(ReadOnlyMemory<byte> request, CancellationToken cancel);

    /// <summary>Lets codes go: <c>CodesCodec</c>.</summary>
    Task<byte[]> DropCodesAsync(ReadOnlyMemory<byte> request, CancellationToken cancel);
}
