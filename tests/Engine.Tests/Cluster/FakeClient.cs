using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>
/// 400 ids in the shards that own them, each shard in a silo of its own; a call first does what <paramref name="before"/> says (nothing: it completes at once), in
/// every shard or only in the <paramref name="strange"/> one.
/// </summary>
internal sealed class FakeClient(
    ShardMap map, Func<ShardId, CancellationToken, Task>? before = null, int? strange = null, Func<ulong, float>? distanceOf = null) : IShardClient
{
    /// <summary>Every hit.</summary>
    public IEnumerable<Hit> All => Enumerable.Range(0, 400).Select(id => new Hit((ulong)id, distanceOf?.Invoke((ulong)id) ?? (id * 37) % 101));

    /// <summary>What every shard answers instead of hits.</summary>
    public Problem? Refusal { get; init; }

    /// <summary>Calls so far.</summary>
    public int Calls { get; private set; }

    /// <summary>The call of the strange shard.</summary>
    public Task? Strange { get; private set; }

    /// <summary>Every hit of the other shards.</summary>
    public IEnumerable<Hit> AllBut(int shard) => All.Where(hit => map.ShardOf(hit.Id).Id.Number != shard);

    public string? Here => null;

    public ValueTask<ShardAnswer> SearchAsync(SiloId silo, ShardQuery query, Deadline deadline, CancellationToken cancel)
    {
        var shard = new ShardId(query.Collection, Assert.Single(query.Shards.ToArray()).Number);
        Calls++;
        if (before is null || (strange is not null && strange != shard.Number))
        {
            Hit[] hits = HitsOf(shard, query.Parameters.K);
            hits.CopyTo(query.Target);
            return new ValueTask<ShardAnswer>(new ShardAnswer(query.Target[..hits.Length], Stats, null, Refusal));
        }

        Task<ShardAnswer> call = Later(before(shard, cancel), shard, query.Parameters.K);
        Strange = call;
        return new ValueTask<ShardAnswer>(call);
    }

    public ValueTask<VectorBlock> SampleAsync(ReplicaId replica, int count, ulong seed, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<Outcome<string>> PrepareCodesAsync(ReplicaId replica, string quantizerFile, Work work) => throw new NotSupportedException();

    public ValueTask<Outcome<ShardTrace>> TraceAsync(ReplicaId replica, TraceRequest request, Work work) => throw new NotSupportedException();

    public ValueTask EndTracesAsync(ReplicaId replica, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask DropCodesAsync(ReplicaId replica, uint codesVersion, CancellationToken cancel) => throw new NotSupportedException();

    private static SearchStats Stats => new() { Hops = 1, DistanceComputations = 10 };

    private async Task<ShardAnswer> Later(Task first, ShardId shard, int k)
    {
        await first;
        return new ShardAnswer(HitsOf(shard, k), Stats, null, Refusal);
    }

    private Hit[] HitsOf(ShardId shard, int k) => [.. All.Where(hit => map.ShardOf(hit.Id).Id == shard).Order().Take(k)];
}
