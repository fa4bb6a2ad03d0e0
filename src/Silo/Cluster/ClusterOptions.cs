using Signpost.Engine.Base;
using Signpost.Engine.Cluster;

namespace Signpost.Silo.Cluster;

/// <summary>What a silo of a cluster is told.</summary>
internal sealed record ClusterOptions
{
    /// <summary>The word of the runtime.</summary>
    public required string Runtime { get; init; }

    /// <summary>Name of the cluster.</summary>
    public required string Cluster { get; init; }

    /// <summary>Name of this silo.</summary>
    public required string Silo { get; init; }

    /// <summary>What it shares its fate with; empty where nobody said.</summary>
    public required string Zone { get; init; }

    /// <summary>Memory that its shards may take, bytes.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>How long a silo that says nothing is taken for alive.</summary>
    public required TimeSpan Lease { get; init; }

    /// <summary>How the leader decides.</summary>
    public required StewardOptions Steward { get; init; }

    /// <summary>How large shards may be before they are split, where this silo leads.</summary>
    public LayoutLimits Limits { get; init; } = new(0, 0);

    /// <summary>How long a silo that stops waits until nobody asks it any more.</summary>
    public TimeSpan LeaveTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a shard stays open after the map has given it to others, for queries that began before.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes of files a second that are fetched for moves; 0: as fast as can be.</summary>
    public long MoveBytesPerSecond { get; init; }

    /// <summary>Pause before a shard that could not be opened is tried again.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(10);
}
