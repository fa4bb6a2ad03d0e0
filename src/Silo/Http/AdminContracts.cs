namespace Signpost.Silo.Http;

/// <summary>Body of a drain.</summary>
internal sealed record DrainBody
{
    /// <summary>Name of the silo that is asked: nobody drains another one by a wrong address.</summary>
    public required string Silo { get; init; }

    /// <summary>Takes the wish back.</summary>
    public bool Cancel { get; init; }

    /// <summary>Whether fewer copies than wanted may be left, but for the last one.</summary>
    public bool Force { get; init; }

    /// <summary>Only says what would move.</summary>
    public bool DryRun { get; init; }
}

/// <summary>What becomes of a drain: the silo is draining or serving, and what moves.</summary>
internal sealed record DrainReply(string Silo, string State, PlanReply Plan);

/// <summary>Body of a rebalance.</summary>
internal sealed record RebalanceBody
{
    /// <summary>How far the load of a silo may be from its fair share.</summary>
    public double TolerancePercent { get; init; } = 2;

    /// <summary>Only says what would move.</summary>
    public bool DryRun { get; init; }
}

/// <summary>What the leader does, if nothing else happens.</summary>
internal sealed record PlanReply
{
    /// <summary>Copies that are opened, and where they leave; those that have begun among them.</summary>
    public required PlannedMoveReply[] Moves { get; init; }

    /// <summary>The silos by name, before and after.</summary>
    public required BalanceReply[] Silos { get; init; }

    /// <summary>Bytes of files of all moves.</summary>
    public required long Bytes { get; init; }

    /// <summary>Fewer bytes no plan can move that ends as balanced.</summary>
    public required long MinimumBytes { get; init; }

    /// <summary>Time that the busiest silo fetches at the throttle; null without one.</summary>
    public double? Seconds { get; init; }
}

/// <summary>A copy of a shard that is opened, and the silo that it leaves then; none where it is one more copy.</summary>
internal sealed record PlannedMoveReply(string Collection, int Shard, string? From, string To, long Bytes, bool HasBegun, double? Seconds);

/// <summary>What a silo holds before and after, in copies of shards and in bytes of memory, and its fair share.</summary>
internal sealed record BalanceReply(string Silo, int ShardsBefore, long BytesBefore, int ShardsAfter, long BytesAfter, long FairBytes);

/// <summary>A copy of a shard on its way; the silo that it leaves when it serves, none where it is one more copy.</summary>
internal sealed record MoveReply(string Collection, int Shard, string? From, string To, long Bytes, double Seconds);
