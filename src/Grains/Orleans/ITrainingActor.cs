using Orleans;
using Orleans.Concurrency;

namespace Signpost.Grains.Orleans;

/// <summary>
/// <see cref="ITrainingGrain"/> of a silo as an Orleans grain, for programs of Orleans beside the shards; its key is the silo's name. A training runs in
/// the silo under a lease of its own, not in the grain: it outlives the activation, and another silo goes on with it where this one dies.
/// </summary>
[Alias("signpost.training-of-silo")]
public interface ITrainingActor : IGrainWithStringKey
{
    /// <inheritdoc cref="ITrainingGrain.StartAsync"/>
    [Alias("start")]
    [ResponseTimeout("00:02:00")]
    Task<byte[]> StartAsync([Immutable] byte[] request, CancellationToken cancel);

    /// <inheritdoc cref="ITrainingGrain.WatchAsync"/>
    [Alias("watch")]
    [AlwaysInterleave]
    [ResponseTimeout("00:02:00")]
    Task<byte[]> WatchAsync(CancellationToken cancel);

    /// <inheritdoc cref="ITrainingGrain.StopAsync"/>
    [Alias("stop")]
    [ResponseTimeout("00:02:00")]
    Task<byte[]> StopAsync([Immutable] byte[] request, CancellationToken cancel);
}
