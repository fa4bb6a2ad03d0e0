namespace Signpost.Silo.Http;

/// <summary>How a query was answered: who was asked for what, and what that took.</summary>
internal sealed record ExplainReply
{
    public required string Collection { get; init; }

    public required int K { get; init; }

    public required int L { get; init; }

    public required string Mode { get; init; }

    /// <summary>Pool entries that got an exact distance; null where none did.</summary>
    public int? Rerank { get; init; }

    /// <summary>ok, partial, incomplete, stale, busy, refused.</summary>
    public required string Outcome { get; init; }

    /// <summary>From the arrival of the request to the answer to this vector.</summary>
    public required double TookMs { get; init; }

    /// <summary>Of it, until a search thread had time.</summary>
    public required double QueuedMs { get; init; }

    public required int ShardsAnswered { get; init; }

    public required int Shards { get; init; }

    public required bool DeadlineReached { get; init; }

    public required long MapVersion { get; init; }

    public required uint CodesVersion { get; init; }

    /// <summary>Calls that were made because another one failed.</summary>
    public required int Retries { get; init; }

    /// <summary>Calls that were made because another one was silent.</summary>
    public required int Hedges { get; init; }

    /// <summary>Where the trace of the query is found; null where it is not traced.</summary>
    public string? TraceId { get; init; }

    /// <summary>The calls to silos, in the order in which they were made.</summary>
    public required ExplainCallReply[] Calls { get; init; }
}

/// <summary>A call to a silo.</summary>
internal sealed record ExplainCallReply
{
    public required string Silo { get; init; }

    /// <summary>first, retry or hedge.</summary>
    public required string Kind { get; init; }

    /// <summary>answered, failed or given_up.</summary>
    public required string Outcome { get; init; }

    public string? Failure { get; init; }

    /// <summary>Since the search began.</summary>
    public required double StartedMs { get; init; }

    public required double TookMs { get; init; }

    public required long Hops { get; init; }

    public required long DistanceComputations { get; init; }

    public required long Reranked { get; init; }

    public required bool DeadlineReached { get; init; }

    /// <summary>Shards that it was asked for.</summary>
    public required int[] Shards { get; init; }

    /// <summary>What each of them did; null where it did not tell.</summary>
    public ExplainShardReply[]? Work { get; init; }
}

/// <summary>What the search of one shard did; the time is that on its search thread.</summary>
internal sealed record ExplainShardReply(int Shard, double TookMs, long Hops, long DistanceComputations, long Reranked, bool DeadlineReached);

/// <summary>A line of the log of slow queries.</summary>
/// <param name="Event">slow_query.</param>
/// <param name="Time">When it was written, UTC.</param>
/// <param name="LeftOut">Lines that were left out before this one.</param>
/// <param name="Query">The query.</param>
internal sealed record SlowQueryLine(string Event, string Time, int LeftOut, ExplainReply Query);
