using Orleans;
using Orleans.Placement;

namespace Signpost.Grains.Orleans;

/// <summary>Hands messages to the trainings of its silo.</summary>
/// <param name="training">Of the silo.</param>
[Immovable]
[SiloPlacement]
public sealed class TrainingActor(ITrainingGrain training) : Grain, ITrainingActor
{
    /// <inheritdoc/>
    public Task<byte[]> StartAsync(byte[] request, CancellationToken cancel) => Refusal.InWordsAsync(training.StartAsync(request, cancel));

    /// <inheritdoc/>
    public Task<byte[]> WatchAsync(CancellationToken cancel) => Refusal.InWordsAsync(training.WatchAsync(cancel));

    /// <inheritdoc/>
    public Task<byte[]> StopAsync(byte[] request, CancellationToken cancel) => Refusal.InWordsAsync(training.StopAsync(request, cancel));
}
