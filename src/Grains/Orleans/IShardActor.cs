using Orleans;
using Orleans.Concurrency;

namespace Signpost.Grains.Orleans;

/// <summary>
/// A copy of a shard as an Orleans grain: <see cref="IShardGrain"/> with messages that Orleans copies as they are. Its key is
/// <c>collection/shard/silo</c> (<see cref="ShardKey"/>), so a copy elsewhere is another grain, and none ever moves.
/// </summary>
/// <remarks>
/// A message may be about more shards of the silo than the one in the key, and of other collections: a silo is asked once for all. Searches
/// interleave; whatever else is asked of a copy goes one after the other. A request that is refused ends in an <see cref="IOException"/>.
///
/// Each message carries its own deadline, at which the caller ends the wait; the response timeouts here are only longer than any of those.
/// </remarks>
[Alias("signpost.shard")]
public interface IShardActor : IGrainWithStringKey
{
    /// <inheritdoc cref="IShardGrain.SearchAsync"/>
    [Alias("search")]
    [AlwaysInterleave]
    [ResponseTimeout("01:01:00")]
    Task<byte[]> SearchAsync([Immutable] byte[] request, CancellationToken cancel);

    /// <inheritdoc cref="IShardGrain.SampleAsync"/>
    [Alias("sample")]
    [ResponseTimeout("00:02:00")]
    Task<byte[]> SampleAsync([Immutable] byte[] request, CancellationToken cancel);

    /// <inheritdoc cref="IShardGrain.TraceAsync"/>
    [Alias("trace")]
    [ResponseTimeout("1.00:00:00")]
    Task<byte[]> TraceAsync([Immutable] byte[] request, CancellationToken cancel);

    /// <inheritdoc cref="IShardGrain.EndTracesAsync"/>
    [Alias("end-traces")]
    [ResponseTimeout("00:02:00")]
    Task<byte[]> EndTracesAsync([Immutable] byte[] request, CancellationToken cancel);

    /// <inheritdoc cref="IShardGrain.PrepareCodesAsync"/>
    [Alias("prepare-codes")]
    [ResponseTimeout("1.00:00:00")]
    Task<byte[]> PrepareCodesAsync([Immutable] byte[] request, CancellationToken cancel);

    /// <inheritdoc cref="IShardGrain.DropCodesAsync"/>
    [Alias("drop-codes")]
    [ResponseTimeout("00:02:00")]
    Task<byte[]> DropCodesAsync([Immutable] byte[] request, CancellationToken cancel);
}
