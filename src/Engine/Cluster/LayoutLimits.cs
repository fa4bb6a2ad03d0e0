using Signpost.Engine.Base;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Cluster;

/// <summary>How large a shard may become before it is split, and how small neighbours may be before they are merged.</summary>
/// <param name="Vectors">Most vectors of a shard; 0: any number.</param>
/// <param name="Bytes">Most bytes of a shard's vectors, graph, ids and codes; 0: any number.</param>
public sealed record LayoutLimits(long Vectors, long Bytes)
{
    /// <summary>Neighbours that together are below this part of every limit are merged: far from what would be split again.</summary>
    private const int MergeBelow = 3;

    /// <summary>Whether there is no limit.</summary>
    public bool AreOff => Vectors == 0 && Bytes == 0;

    /// <summary>
    /// What is to be changed next, one thing at a time: a shard that is too large is split first, which is done in a moment; then parts get
    /// segments of their own; then small neighbours merge. Null where all is as it should be, or there is no limit.
    /// </summary>
    public LayoutChange? Next(CollectionManifest manifest) => AreOff ? null : Split(manifest) ?? LayoutChange.Compact(manifest) ?? Merge(manifest);

    private LayoutChange? Split(CollectionManifest manifest)
    {
        ManifestShard? largest = manifest.Shards.Where(shard => shard.SlotTo - shard.SlotFrom > 1 && Load(manifest, shard) > 1).MaxBy(shard => Load(manifest, shard));
        return largest is null ? null : LayoutChange.Split(manifest, largest.Id).OrThrow();
    }

    private LayoutChange? Merge(CollectionManifest manifest)
    {
        (double Load, int One, int Other) smallest = manifest.Shards.Zip(manifest.Shards.Skip(1))
            .Select(pair => (Load(manifest, pair.First, pair.Second), pair.First.Id, pair.Second.Id)).DefaultIfEmpty((1, 0, 0)).Min();
        return smallest.Load < 1.0 / MergeBelow ? LayoutChange.Merge(manifest, smallest.One, smallest.Other).OrThrow() : null;
    }

    /// <summary>How much of the limits shards take together, 1 being all of one.</summary>
    private double Load(CollectionManifest manifest, params ReadOnlySpan<ManifestShard> shards)
    {
        double vectors = 0;
        double bytes = 0;
        foreach (ManifestShard shard in shards)
        {
            SegmentMemory stored = manifest.MemoryOf(shard, Residency.Mapped);
            vectors += shard.Count;
            bytes += stored.Count == 0 ? 0 : (double)(stored.Resident + stored.VectorsMapped) * shard.Count / stored.Count;
        }

        return Math.Max(Vectors == 0 ? 0 : vectors / Vectors, Bytes == 0 ? 0 : bytes / Bytes);
    }
}
