using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>How to open a collection.</summary>
/// <remarks>Recipe: load the vectors where they fit into memory and exact distances are asked for; leave them mapped otherwise.</remarks>
public sealed record CollectionOptions
{
    /// <summary>Where the vectors shall be. Mapped: a search over codes touches few of them.</summary>
    public Residency Vectors { get; init; } = Residency.Mapped;

    /// <summary>Whether mapped vectors are read once and compared with their checksums. On: a wrong vector is a wrong answer for ever.</summary>
    public bool Verify { get; init; } = true;

    /// <summary>Bytes that the collection may keep resident. What this process may use, as the system tells it: less cannot be known here.</summary>
    public long MemoryLimit { get; init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Whether one shard that cannot be opened fails the whole. Off: the others serve, and coverage tells.</summary>
    public bool RequireAll { get; init; }

    /// <summary>
    /// Whether opening the collection opens its shards. Off: each waits for <see cref="Collection.OpenShard"/>, for a process that serves
    /// some of them.
    /// </summary>
    public bool OpenShards { get; init; } = true;
}
