using Signpost.Engine.Search;

namespace Signpost.Engine.Cluster;

/// <summary>What a collection is asked.</summary>
/// <param name="Parameters">How to search, the same for every shard.</param>
/// <param name="RequireFull">Whether an answer that not every shard has part in is refused.</param>
/// <param name="Report">Told what the search did; null: nobody wants to know. The search's until it has ended.</param>
public readonly record struct SearchRequest(SearchParameters Parameters, bool RequireFull = false, CallReports? Report = null);

/// <summary>What a collection answers; the hits are in the memory that the caller gave.</summary>
/// <param name="Count">Hits found: K, or fewer where fewer vectors could be reached.</param>
/// <param name="Coverage">How much of the collection was asked.</param>
/// <param name="Stats">What all shards did, summed.</param>
/// <param name="Missing">The shards that had no part in it, and why; empty when the coverage is full.</param>
public readonly record struct SearchAnswer(int Count, Coverage Coverage, SearchStats Stats, IReadOnlyList<MissingShard> Missing);

/// <summary>How much of a collection had part in an answer.</summary>
/// <param name="ShardsAnswered">Shards that answered.</param>
/// <param name="Shards">Shards in all.</param>
/// <param name="VectorsAnswered">Vectors in the shards that answered.</param>
/// <param name="Vectors">Vectors in all.</param>
public readonly record struct Coverage(int ShardsAnswered, int Shards, long VectorsAnswered, long Vectors)
{
    /// <summary>Whether every shard answered.</summary>
    public bool IsFull => ShardsAnswered == Shards;

    /// <inheritdoc/>
    public override string ToString() => $"{ShardsAnswered} of {Shards} shards, {VectorsAnswered} of {Vectors} vectors";
}

/// <summary>A shard that had no part in an answer.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="Reason">Why, for people.</param>
public sealed record MissingShard(ShardId Shard, string Reason)
{
    /// <summary>Reason of one that was left out for want of time.</summary>
    public const string Late = "the deadline had passed before it was asked";
}
