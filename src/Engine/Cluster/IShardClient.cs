using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Cluster;

/// <summary>Asks a shard, wherever it is. One of the two ports between the distributed logic and a runtime.</summary>
/// <remarks>
/// Contract, run against every runtime by one suite of tests:
/// <list type="bullet">
/// <item>The answer is ascending by (distance, id), holds no id twice and at most K hits.</item>
/// <item>Bad input is answered with <see cref="ShardAnswer.Refusal"/>. A shard that cannot be asked, or is not there, ends in an
/// exception whose message says why.</item>
/// <item><see cref="ShardQuery.Query"/> and <see cref="ShardQuery.Target"/> belong to the caller: they may be touched until the call
/// has returned its task, not until the task has ended. So hits are in the target only where the task had ended by then, and a
/// caller that gives a slow shard up can use both again at once.</item>
/// <item>The call does not block on the network. Work that it does before it returns is bounded by the deadline.</item>
/// <item>After the deadline the answer is what was found so far, with <see cref="SearchStats.DeadlineReached"/>, or none.</item>
/// <item>Cancelling frees what the call holds, sooner or later. It may be called from many threads.</item>
/// <item>A search that needs codes uses those of <see cref="ShardQuery.CodesVersion"/> or none: where the shard has not that version, it
/// answers <see cref="ProblemCode.StaleVersion"/>.</item>
/// <item>Equal trace requests have equal answers, on any number of threads, whatever was asked between them. Tracing changes nothing that a
/// search sees, and may be asked again after a failure or a cancellation.</item>
/// <item>Preparing and dropping codes may be asked again, after a success, a failure or a cancellation, with the same effect as once.
/// Searches go on meanwhile, and those that run when codes are dropped end well.</item>
/// </list>
/// </remarks>
public interface IShardClient
{
    /// <summary>The nearest vectors of one shard.</summary>
    ValueTask<ShardAnswer> SearchAsync(ShardId shard, ShardQuery query, Deadline deadline, CancellationToken cancel);

    /// <summary>
    /// <paramref name="count"/> vectors of a shard (all where it has no more), chosen at random, all different: to learn from. The caller
    /// owns them.
    /// </summary>
    /// <param name="shard">The shard.</param>
    /// <param name="count">Vectors wanted, at least 0.</param>
    /// <param name="seed">The same seed gives the same vectors in the same order.</param>
    /// <param name="cancel">Ends the wait.</param>
    ValueTask<VectorBlock> SampleAsync(ShardId shard, int count, ulong seed, CancellationToken cancel);

    /// <summary>
    /// Has the shard encode its vectors in memory by another quantizer, walk its graph on these codes for queries of its own, and tell what
    /// it saw and how well held-out queries fared: what RPQ is learned from (<see cref="IRoutingSource.TraceAsync"/>).
    /// </summary>
    /// <param name="shard">The shard.</param>
    /// <param name="request">What to trace.</param>
    /// <param name="work">How the shard may work: threads, who watches it, cancellation.</param>
    /// <returns>The traces; or why not, for example memory. What it prepared the shard may keep for the next such request.</returns>
    ValueTask<Outcome<ShardTrace>> TraceAsync(ShardId shard, TraceRequest request, Work work);

    /// <summary>Lets go what the shard kept of traces; nothing happens where there is nothing.</summary>
    ValueTask EndTracesAsync(ShardId shard, CancellationToken cancel);

    /// <summary>
    /// Makes the shard ready to be searched by another quantizer, beside those that it has: it reads the quantizer's file from the
    /// collection's folder, encodes its vectors unless their codes are in the folder already, and opens them.
    /// </summary>
    /// <param name="shard">The shard.</param>
    /// <param name="quantizerFile">Name of the published quantizer.</param>
    /// <param name="work">How the shard may work: threads, who watches it, cancellation.</param>
    /// <returns>Name of the codes' file; or why not, for example memory, with what the shard has unchanged.</returns>
    ValueTask<Outcome<string>> PrepareCodesAsync(ShardId shard, string quantizerFile, Work work);

    /// <summary>Lets the codes of a version go; nothing happens where there are none.</summary>
    ValueTask DropCodesAsync(ShardId shard, uint codesVersion, CancellationToken cancel);
}

/// <summary>What a shard is asked.</summary>
/// <param name="Query">Bound to a vector. Its look-up table is made once and serves all shards of the process.</param>
/// <param name="Parameters">How to search.</param>
/// <param name="CodesVersion">Number of the training whose codes are used, from the shard map; not looked at by an exact search.</param>
/// <param name="Target">Room for K hits that the answer may use.</param>
public readonly record struct ShardQuery(Query Query, SearchParameters Parameters, uint CodesVersion, Memory<Hit> Target);

/// <summary>What a shard answers.</summary>
/// <param name="Hits">Ascending by (distance, id): the front of <see cref="ShardQuery.Target"/>, or memory of the client's own.</param>
/// <param name="Stats">What the search did.</param>
/// <param name="Refusal">Why the request was refused; null when it was not.</param>
public readonly record struct ShardAnswer(ReadOnlyMemory<Hit> Hits, SearchStats Stats, Problem? Refusal = null);
