using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;
using Signpost.Grains;
using Signpost.Grains.Wire;

namespace Signpost.Silo.Peers;

/// <summary>
/// Asks the shards of this silo: searches on the caller's thread, what trainings ask on threads of its own. Nothing of it ever runs on the
/// thread pool, on which the network lives.
/// </summary>
internal sealed class OwnShardClient(ShardGrain grain) : IShardClient
{
    /// <inheritdoc/>
    public string Here => grain.Shards.Here;

    /// <inheritdoc/>
    public ValueTask<ShardAnswer> SearchAsync(SiloId silo, ShardQuery query, Deadline deadline, CancellationToken cancel)
    {
        if (!Thread.CurrentThread.IsThreadPoolThread)
        {
            return grain.Shards.SearchAsync(silo, query, deadline, cancel);
        }

        cancel.ThrowIfCancellationRequested();
        if (deadline.Reached)
        {
            return new ValueTask<ShardAnswer>(ShardAnswer.Late(query));
        }

        // A search that goes on after an answer of another silo: it is done as if that had asked.
        byte[] message = SearchCodec.Join(silo, [(SearchCodec.Write(query, grain.Limits), deadline.Left)]);
        return new ValueTask<ShardAnswer>(OnSearchThreadAsync(message, query.Collection, query.Parameters.K, cancel));
    }

    /// <inheritdoc/>
    public ValueTask<VectorBlock> SampleAsync(ReplicaId replica, int count, ulong seed, CancellationToken cancel) =>
        new(grain.ShortAsync(shards => shards.SampleAsync(replica, count, seed, cancel)));

    /// <inheritdoc/>
    public ValueTask<Outcome<ShardTrace>> TraceAsync(ReplicaId replica, TraceRequest request, Work work) =>
        new(grain.LongAsync(shards => shards.TraceAsync(replica, request, work)));

    /// <inheritdoc/>
    public ValueTask EndTracesAsync(ReplicaId replica, CancellationToken cancel) =>
        new(grain.ShortAsync(shards => shards.EndTracesAsync(replica, cancel)));

    /// <inheritdoc/>
    public ValueTask<Outcome<string>> PrepareCodesAsync(ReplicaId replica, string quantizerFile, Work work) =>
        new(grain.LongAsync(shards => shards.PrepareCodesAsync(replica, quantizerFile, work)));

    /// <inheritdoc/>
    public ValueTask DropCodesAsync(ReplicaId replica, uint codesVersion, CancellationToken cancel) =>
        new(grain.ShortAsync(shards => shards.DropCodesAsync(replica, codesVersion, cancel)));

    private async Task<ShardAnswer> OnSearchThreadAsync(byte[] message, string collection, int k, CancellationToken cancel)
    {
        byte[] answer = await grain.SearchAsync(message, cancel).ConfigureAwait(false);
        WireAnswer read = SearchAnswerCodec.Read(answer, [(collection, k)])[0];
        cancel.ThrowIfCancellationRequested();
        return read.Failure is null ? read.Answer : throw new IOException(read.Failure);
    }
}
