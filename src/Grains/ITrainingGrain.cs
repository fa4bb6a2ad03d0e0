namespace Signpost.Grains;

/// <summary>Trainings of a cluster, as one silo has part in them.</summary>
public interface ITrainingGrain
{
    /// <summary>Begins a training here, and answers when it is written down, long before it ends: <c>TrainingCodec</c>.</summary>
    Task<byte[]> StartAsync(ReadOnlyMemory<byte> request, CancellationToken cancel);

    /// <summary>Tells how the last training of each collection is going, wherever it runs: <c>TrainingCodec</c>.</summary>
    Task<byte[]> WatchAsync(CancellationToken cancel);

    /// <summary>Stops a training that runs here, or that waits for a silo to go on with it: <c>TrainingCodec</c>.</summary>
    Task<byte[]> StopAsync(ReadOnlyMemory<byte> request, CancellationToken cancel);
}
