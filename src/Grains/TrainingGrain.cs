using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Grains.Wire;

namespace Signpost.Grains;

/// <summary>Trainings as a silo has part in them: reads a message, makes one call into the trainer, writes the answer.</summary>
/// <param name="trainer">Trains.</param>
/// <param name="start">How a training is begun where a silo has a say in it; null: by the trainer alone.</param>
public sealed class TrainingGrain(
    Trainer trainer, Func<string, TrainingOrder, CancellationToken, ValueTask<Outcome<TrainingRecord>>>? start = null) : ITrainingGrain
{
    private readonly Func<string, TrainingOrder, CancellationToken, ValueTask<Outcome<TrainingRecord>>> _start = start ?? trainer.StartAsync;

    /// <inheritdoc/>
    public async Task<byte[]> StartAsync(ReadOnlyMemory<byte> request, CancellationToken cancel)
    {
        (string collection, TrainingOrder order) = Message.Parse(() => TrainingCodec.ReadStart(request.Span));
        return TrainingCodec.WriteAnswer(await _start(collection, order, cancel).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public Task<byte[]> WatchAsync(CancellationToken cancel) => Task.FromResult(TrainingCodec.WriteKnown(trainer.Known));

    /// <inheritdoc/>
    public async Task<byte[]> StopAsync(ReadOnlyMemory<byte> request, CancellationToken cancel)
    {
        string collection = Message.Parse(() => TrainingCodec.ReadStop(request.Span));
        return TrainingCodec.WriteAnswer(await trainer.StopAsync(collection, cancel).ConfigureAwait(false));
    }
}
