using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>A shard of a collection, as one process has it.</summary>
/// <param name="Entry">What the manifest says of it.</param>
/// <param name="Shard">The shard; null where it is not open.</param>
/// <param name="Reason">Why it is not open; null where it is.</param>
public sealed record CollectionShard(ManifestShard Entry, Shard? Shard, string? Reason)
{
    /// <summary>Slots that it owns.</summary>
    public SlotRange Slots => new(Entry.SlotFrom, Entry.SlotTo);

    /// <summary>Whether it can be searched.</summary>
    public bool IsOpen => Shard is not null;
}
