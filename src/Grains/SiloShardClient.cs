using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Grains;

/// <summary>
/// The shards of this silo, for those who mean it as it is now: who asks for another silo, for an epoch that has ended, or while the lease
/// has lapsed, is told so by an <see cref="IOException"/>. Works on the caller's thread.
/// </summary>
/// <param name="lease">Says for whom this silo may answer.</param>
/// <param name="shards">Its shards.</param>
public sealed class SiloShardClient(SiloLease lease, LocalShardClient shards) : IShardClient
{
    /// <inheritdoc/>
    public string Here => shards.Here;

    /// <summary>Queries of the shape of a collection, to be rented; null where it is not open.</summary>
    public QueryPool? QueriesOf(string collection) => shards.QueriesOf(collection);

    /// <inheritdoc/>
    public ValueTask<ShardAnswer> SearchAsync(SiloId silo, ShardQuery query, Deadline deadline, CancellationToken cancel)
    {
        MustBe(silo);
        return shards.SearchAsync(silo, query, deadline, cancel);
    }

    /// <inheritdoc/>
    public ValueTask<VectorBlock> SampleAsync(ReplicaId replica, int count, ulong seed, CancellationToken cancel)
    {
        MustBe(replica.Silo);
        return shards.SampleAsync(replica, count, seed, cancel);
    }

    /// <inheritdoc/>
    public ValueTask<Outcome<ShardTrace>> TraceAsync(ReplicaId replica, TraceRequest request, Work work)
    {
        MustBe(replica.Silo);
        return shards.TraceAsync(replica, request, work);
    }

    /// <inheritdoc/>
    public ValueTask EndTracesAsync(ReplicaId replica, CancellationToken cancel)
    {
        MustBe(replica.Silo);
        return shards.EndTracesAsync(replica, cancel);
    }

    /// <inheritdoc/>
    public ValueTask<Outcome<string>> PrepareCodesAsync(ReplicaId replica, string quantizerFile, Work work)
    {
        MustBe(replica.Silo);
        return shards.PrepareCodesAsync(replica, quantizerFile, work);
    }

    /// <inheritdoc/>
    public ValueTask DropCodesAsync(ReplicaId replica, uint codesVersion, CancellationToken cancel)
    {
        MustBe(replica.Silo);
        return shards.DropCodesAsync(replica, codesVersion, cancel);
    }

    private void MustBe(SiloId asked)
    {
        if (lease.WhyNot(asked) is { } reason)
        {
            throw new IOException(reason);
        }
    }
}
