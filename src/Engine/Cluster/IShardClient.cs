using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Cluster;

/// <summary>Asks shards, wherever they are. One of the two ports between the distributed logic and a runtime.</summary>
/// <remarks>
/// Contract, run against every runtime by one suite of tests:
/// <list type="bullet">
/// <item>A silo is asked once for all the shards that a search wants of it; it answers with the best K of them together. The answer is
/// ascending by (distance, id), holds no id twice, at most K hits, and only hits of the slots that were asked for.</item>
/// <item>Bad input is answered with <see cref="ShardAnswer.Refusal"/>. A shard that the silo cannot ask is named in
/// <see cref="ShardAnswer.Missing"/>, with the reason, and the others are answered. A silo that cannot be asked at all, or is not the one
/// that was meant (another epoch), ends in an exception whose message says why.</item>
/// <item><see cref="ShardQuery.Query"/>, <see cref="ShardQuery.Shards"/> and <see cref="ShardQuery.Target"/> belong to the caller: they may be
/// touched until the call has returned its task, not until the task has ended. So hits are in the target only where the task had
/// ended by then, and a caller that gives a slow silo up can use all of them again at once.</item>
/// <item>The call does not block on the network. Work that it does before it returns is bounded by the deadline.</item>
/// <item>After the deadline the answer is what was found so far, with <see cref="SearchStats.DeadlineReached"/>, or none.</item>
/// <item>Cancelling frees what the call holds, sooner or later. It may be called from many threads.</item>
/// <item>A search that needs codes uses those of <see cref="ShardQuery.CodesVersion"/> or none: where a shard has not that version, the
/// silo answers <see cref="ProblemCode.StaleVersion"/>.</item>
/// <item>Equal trace requests have equal answers, on any number of threads, whatever was asked between them. Tracing changes nothing that a
/// search sees, and may be asked again after a failure or a cancellation.</item>
/// <item>Preparing and dropping codes may be asked again, after a success, a failure or a cancellation, with the same effect as once.
/// Searches go on meanwhile, and those that run when codes are dropped end well.</item>
/// </list>
/// </remarks>
public interface IShardClient
{
    /// <summary>Name of the silo whose shards are searched on the caller's thread; null where there is none.</summary>
    string? Here { get; }

    /// <summary>The nearest vectors of some shards of one silo.</summary>
    ValueTask<ShardAnswer> SearchAsync(SiloId silo, ShardQuery query, Deadline deadline, CancellationToken cancel);

    /// <summary>
    /// <paramref name="count"/> vectors of a shard (all where it has no more), chosen at random, all different: to learn from. The caller
    /// owns them.
    /// </summary>
    /// <param name="replica">The shard, and the silo to ask.</param>
    /// <param name="count">Vectors wanted, at least 0.</param>
    /// <param name="seed">The same seed gives the same vectors in the same order.</param>
    /// <param name="cancel">Ends the wait.</param>
    ValueTask<VectorBlock> SampleAsync(ReplicaId replica, int count, ulong seed, CancellationToken cancel);

    /// <summary>
    /// Has the shard encode its vectors in memory by another quantizer, walk its graph on these codes for queries of its own, and tell what
    /// it saw and how well held-out queries fared: what RPQ is learned from (<see cref="IRoutingSource.TraceAsync"/>).
    /// </summary>
    /// <param name="replica">The shard, and the silo to ask.</param>
    /// <param name="request">What to trace.</param>
    /// <param name="work">How the shard may work: threads, who watches it, cancellation.</param>
    /// <returns>The traces; or why not, for example memory. What it prepared the shard may keep for the next such request.</returns>
    ValueTask<Outcome<ShardTrace>> TraceAsync(ReplicaId replica, TraceRequest request, Work work);

    /// <summary>Lets go what the shard kept of traces; nothing happens where there is nothing.</summary>
    ValueTask EndTracesAsync(ReplicaId replica, CancellationToken cancel);

    /// <summary>
    /// Makes the shard ready to be searched by another quantizer, beside those that it has: it reads the quantizer's file from the
    /// collection's folder, encodes its vectors unless their codes are in the folder already, and opens them.
    /// </summary>
    /// <param name="replica">The shard, and the silo to ask.</param>
    /// <param name="quantizerFile">Name of the published quantizer.</param>
    /// <param name="work">How the shard may work: threads, who watches it, cancellation.</param>
    /// <returns>Name of the codes' file; or why not, for example memory, with what the shard has unchanged.</returns>
    ValueTask<Outcome<string>> PrepareCodesAsync(ReplicaId replica, string quantizerFile, Work work);

    /// <summary>Lets the codes of a version go; nothing happens where there are none.</summary>
    ValueTask DropCodesAsync(ReplicaId replica, uint codesVersion, CancellationToken cancel);
}

/// <summary>A shard of a search, and the slots for which it is asked.</summary>
/// <param name="Number">Number of the shard in its collection.</param>
/// <param name="Slots">Hits of other slots are passed over: while slots move, the old owner may still have a copy.</param>
public readonly record struct ShardSlots(int Number, SlotRange Slots);

/// <summary>What a silo is asked.</summary>
/// <param name="Collection">Name of the collection.</param>
/// <param name="Shards">Its shards that are wanted of this silo, at least one, none twice.</param>
/// <param name="Query">Bound to a vector. Its look-up table is made once and serves all shards of the process.</param>
/// <param name="Parameters">How to search, the same for every shard.</param>
/// <param name="CodesVersion">Number of the training whose codes are used, from the shard map; not looked at by an exact search.</param>
/// <param name="Target">Room for K hits that the answer may use.</param>
/// <param name="Watch">Who looks at the search; null: nobody.</param>
public readonly record struct ShardQuery(
    string Collection, ReadOnlyMemory<ShardSlots> Shards, Query Query, SearchParameters Parameters, uint CodesVersion, Memory<Hit> Target,
    SearchWatch? Watch = null);

/// <summary>What a silo answers.</summary>
/// <param name="Hits">Ascending by (distance, id): the front of <see cref="ShardQuery.Target"/>, or memory of the client's own.</param>
/// <param name="Stats">What the searches did, summed.</param>
/// <param name="Missing">The shards that could not be asked, and why; null where all were.</param>
/// <param name="Refusal">Why the request was refused; null when it was not.</param>
/// <param name="Work">What each shard did, where <see cref="SearchWatch.WantsShards"/>; else null.</param>
public readonly record struct ShardAnswer(
    ReadOnlyMemory<Hit> Hits, SearchStats Stats, IReadOnlyList<MissingShard>? Missing = null, Problem? Refusal = null,
    IReadOnlyList<ShardWork>? Work = null)
{
    /// <summary>The answer to a search whose deadline has passed before it was asked: nothing was found in time.</summary>
    public static ShardAnswer Late(in ShardQuery query)
    {
        string collection = query.Collection;
        MissingShard[] all = [.. query.Shards.ToArray().Select(shard => new MissingShard(new ShardId(collection, shard.Number), MissingShard.Late))];
        return new ShardAnswer(default, new SearchStats { DeadlineReached = true }, all);
    }
}
