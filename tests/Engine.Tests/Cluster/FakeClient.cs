using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>
/// 400 ids in the shards that own them; a call first does what <paramref name="before"/> says (nothing: it completes at once), in
/// every shard or only in the <paramref name="strange"/> one.
/// </summary>
internal sealed class FakeClient(
    ShardMap map, Func<ShardId, CancellationToken, Task>? before = null, int? strange = null, Func<ulong, float>? distanceOf = null) : IShardClient
{
    /// <summary>Every hit.</summary>
    public IEnumerable<Hit> All => Enumerable.Range(0, 400).Select(id => new Hit((ulong)id, distanceOf?.Invoke((ulong)id) ?? (id * 37) % 101));

    /// <summary>A hit that every shard claims to have, whoever owns it.</summary>
    public Hit? Guest { get; init; }

    /// <summary>What every shard answers instead of hits.</summary>
    public Problem? Refusal { get; init; }

    /// <summary>Calls so far.</summary>
    public int Calls { get; private set; }

    /// <summary>The call of the strange shard.</summary>
    public Task? Strange { get; private set; }

    /// <summary>Every hit of the other shards.</summary>
    public IEnumerable<Hit> AllBut(int shard) => All.Where(hit => map.ShardOf(hit.Id).Id.Number != shard);

    public ValueTask<ShardAnswer> SearchAsync(ShardId shard, ShardQuery query, Deadline deadline, CancellationToken cancel)
    {
        Calls++;
        if (before is null || (strange is not null && strange != shard.Number))
        {
            Hit[] hits = HitsOf(shard, query.Parameters.K);
            hits.CopyTo(query.Target);
            return new ValueTask<ShardAnswer>(new ShardAnswer(query.Target[..hits.Length], Stats, Refusal));
        }

        Task<ShardAnswer> call = Later(before(shard, cancel), shard, query.Parameters.K);
        Strange = call;
        return new ValueTask<ShardAnswer>(call);
    }

    public ValueTask<VectorBlock> SampleAsync(ShardId shard, int count, ulong seed, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<Outcome<string>> PrepareCodesAsync(ShardId shard, string quantizerFile, Work work) => throw new NotSupportedException();

    public ValueTask<Outcome<ShardTrace>> TraceAsync(ShardId shard, TraceRequest request, Work work) => throw new NotSupportedException();

    public ValueTask EndTracesAsync(ShardId shard, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask DropCodesAsync(ShardId shard, uint codesVersion, CancellationToken cancel) => throw new NotSupportedException();

    private static SearchStats Stats => new() { Hops = 1, DistanceComputations = 10 };

    private async Task<ShardAnswer> Later(Task first, ShardId shard, int k)
    {
        await first;
        return new ShardAnswer(HitsOf(shard, k), Stats, Refusal);
    }

    private Hit[] HitsOf(ShardId shard, int k)
    {
        IEnumerable<Hit> hits = All.Where(hit => map.ShardOf(hit.Id).Id == shard);
        if (Guest is { } guest)
        {
            hits = hits.Where(hit => hit.Id != guest.Id || map.ShardOf(guest.Id).Id == shard)
                .Concat(map.ShardOf(guest.Id).Id == shard ? [] : [guest]);
        }

        return [.. hits.Order().Take(k)];
    }
}
