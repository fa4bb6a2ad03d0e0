using System.Collections.Immutable;

namespace Signpost.Client;

/// <summary>The answer to one vector.</summary>
public sealed record SearchResult
{
    /// <summary>Nearest first; fewer than K where fewer vectors could be reached.</summary>
    public required ImmutableArray<Hit> Hits { get; init; }

    /// <summary>How much of the collection had part in it.</summary>
    public required Coverage Coverage { get; init; }

    /// <summary>The shards that had none, and why; empty when the coverage is full.</summary>
    public required ImmutableArray<MissingShard> Missing { get; init; }

    /// <summary>What the search did.</summary>
    public required SearchStats Stats { get; init; }

    /// <summary>Time that the silo took for the whole request, with all its vectors.</summary>
    public required TimeSpan Took { get; init; }
}

/// <summary>A stored vector near the query.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Distance">Smaller is closer: squared Euclidean distance, negative inner product, or one minus the cosine.</param>
public readonly record struct Hit(ulong Id, float Distance);

/// <summary>How much of a collection had part in an answer.</summary>
/// <param name="ShardsAnswered">Shards that answered.</param>
/// <param name="Shards">Shards in all.</param>
/// <param name="VectorsAnswered">Vectors in the shards that answered.</param>
/// <param name="Vectors">Vectors in all.</param>
public readonly record struct Coverage(int ShardsAnswered, int Shards, long VectorsAnswered, long Vectors)
{
    /// <summary>Whether every shard answered.</summary>
    public bool IsFull => ShardsAnswered == Shards;
}

/// <summary>A shard that had no part in an answer.</summary>
/// <param name="Shard">Its number.</param>
/// <param name="Reason">Why, for people.</param>
public sealed record MissingShard(int Shard, string Reason);

/// <summary>What a search did, all shards together.</summary>
/// <param name="Hops">Vertices whose neighbours were looked at.</param>
/// <param name="DistanceComputations">Distances computed, exact and approximate.</param>
/// <param name="Reranked">Pool entries that got an exact distance.</param>
/// <param name="DeadlineReached">Whether it ended early.</param>
public readonly record struct SearchStats(long Hops, long DistanceComputations, long Reranked, bool DeadlineReached);

/// <summary>What became of one vector of a batch: a result, or the error that is its own.</summary>
/// <param name="Result">The answer; null where there is an error.</param>
/// <param name="Error">Why there is none; null where there is one.</param>
public sealed record SearchItem(SearchResult? Result, SignpostException? Error)
{
    /// <summary>The answer, or the error thrown.</summary>
    public SearchResult OrThrow() => Result ?? throw Error!;
}
