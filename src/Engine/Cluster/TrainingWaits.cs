using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Cluster;

/// <summary>
/// How a trainer waits: on its own thread, so that all of a training stays there. What goes on after an await would run on the thread pool, on which
/// the network lives, and learning takes minutes.
/// </summary>
internal class TrainingWaits
{
    /// <summary>The result of a call.</summary>
    public virtual ValueTask<T> For<T>(ValueTask<T> call) => new(call.AsTask().GetAwaiter().GetResult());

    /// <summary>Ends after <paramref name="time"/>, or sooner when cancelled.</summary>
    public virtual ValueTask Pause(TimeSpan time, CancellationToken cancel)
    {
        cancel.WaitHandle.WaitOne(time);
        return ValueTask.CompletedTask;
    }

    /// <summary>Asks shards, and waits like that for all but codes: those all shards make at once.</summary>
    public IShardClient Over(IShardClient client) => new Waiting(this, client);

    private async ValueTask For(ValueTask call) => await For(Ended(call)).ConfigureAwait(false);

    private static async ValueTask<bool> Ended(ValueTask call)
    {
        await call.ConfigureAwait(false);
        return true;
    }

    private sealed class Waiting(TrainingWaits waits, IShardClient client) : IShardClient
    {
        public string? Here => client.Here;

        public ValueTask<ShardAnswer> SearchAsync(SiloId silo, ShardQuery query, Deadline deadline, CancellationToken cancel) =>
            client.SearchAsync(silo, query, deadline, cancel);

        public ValueTask<VectorBlock> SampleAsync(ReplicaId replica, int count, ulong seed, CancellationToken cancel) =>
            waits.For(client.SampleAsync(replica, count, seed, cancel));

        public ValueTask<Outcome<ShardTrace>> TraceAsync(ReplicaId replica, TraceRequest request, Work work) => waits.For(client.TraceAsync(replica, request, work));

        public ValueTask EndTracesAsync(ReplicaId replica, CancellationToken cancel) => waits.For(client.EndTracesAsync(replica, cancel));

        public ValueTask<Outcome<string>> PrepareCodesAsync(ReplicaId replica, string quantizerFile, Work work) => client.PrepareCodesAsync(replica, quantizerFile, work);

        public ValueTask DropCodesAsync(ReplicaId replica, uint codesVersion, CancellationToken cancel) => waits.For(client.DropCodesAsync(replica, codesVersion, cancel));
    }
}
