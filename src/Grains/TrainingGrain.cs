using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Storage;
using Signpost.Grains.Wire;

namespace Signpost.Grains;

/// <summary>Trainings of one collection, one at a time, on a thread of its own.</summary>
/// <param name="disk">Where the collection is.</param>
/// <param name="folder">Its folder.</param>
/// <param name="state">Where its map is.</param>
/// <param name="client">Asks its shards.</param>
public sealed class TrainingGrain(IDisk disk, string folder, IClusterState state, IShardClient client) : ITrainingGrain
{
    private readonly OwnThreads _thread = new(1);

    /// <inheritdoc/>
    public Task<byte[]> RunAsync(ReadOnlyMemory<byte> request, CancellationToken cancel) => _thread.RunAsync(() =>
    {
        (QuantizerMethod method, int threads) = Message.Parse(() => TrainingCodec.ReadRequest(request.Span));
        var work = new Work(Math.Min(threads, Environment.ProcessorCount), null, cancel);
        return TrainingCodec.WriteAnswer(TrainingJob.RunAsync(disk, folder, state, client, method, work).GetAwaiter().GetResult());
    });
}
