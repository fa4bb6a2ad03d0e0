using System.Collections.Immutable;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Cluster;

/// <summary>A segment that is to be placed, for all shards that have a part of it: they are together wherever they are.</summary>
/// <param name="Id">The first of its shards; it stands for all.</param>
/// <param name="Memory">What a copy of it takes.</param>
/// <param name="Shards">Its shards, those of the manifest and those that they replace.</param>
/// <param name="Present">Silos that are to hold it by the map, the newest last: in the order of the part that has the most.</param>
/// <param name="IsLeaving">Whether no shard of the manifest is among them: it stays where it is until queries have turned.</param>
internal sealed record PlacedSegment(ShardId Id, SegmentMemory Memory, IReadOnlyList<ShardId> Shards, IReadOnlyList<string> Present, bool IsLeaving);

/// <summary>
/// The part of the leader's decision that turns a map to other shards: when the manifest names other ones than the map does, these are coming,
/// silos open them, and as soon as every one of them is served as it should be, one map makes all of them present.
/// </summary>
internal static class LayoutPlan
{
    /// <summary>Whether <paramref name="map"/> is of the collection of <paramref name="manifest"/>, whatever its layout.</summary>
    public static bool IsOf(ShardMap map, CollectionManifest manifest)
    {
        if (map.Lineage.Length > 0)
        {
            return map.Lineage == manifest.Lineage;
        }

        // An earlier version of this program wrote the map: then every shard of it must be known.
        HashSet<(int, int, int, long)> known = [.. manifest.AllShards.Select(s => (s.Id, s.SlotFrom, s.SlotTo, s.Count))];
        return map.Shards.All(s => known.Contains((s.Id.Number, s.Slots.From, s.Slots.To, s.Vectors)));
    }

    /// <summary>Whether the shards of <paramref name="map"/> are those of <paramref name="manifest"/>.</summary>
    public static bool HasLayoutOf(ShardMap map, CollectionManifest manifest) =>
        map.Shards.Select(s => s.Id.Number).SequenceEqual(manifest.Shards.Select(s => s.Id));

    /// <summary>The shards of <paramref name="manifest"/> that <paramref name="map"/> does not have, with the copies that it has of them as coming ones.</summary>
    public static IEnumerable<ShardEntry> Coming(ShardMap map, CollectionManifest manifest)
    {
        HashSet<int> present = [.. map.Shards.Select(shard => shard.Id.Number)];
        return manifest.Shards.Where(shard => !present.Contains(shard.Id)).Select(shard => EntryOf(manifest, shard, map.Coming));
    }

    /// <summary>A shard of <paramref name="manifest"/> with the copies that are known of it.</summary>
    public static ShardEntry EntryOf(CollectionManifest manifest, ManifestShard shard, IEnumerable<ShardEntry> known)
    {
        var id = new ShardId(manifest.Name, shard.Id);
        return new ShardEntry(id, new SlotRange(shard.SlotFrom, shard.SlotTo), shard.Count, known.FirstOrDefault(s => s.Id == id)?.Replicas ?? []);
    }

    /// <summary>
    /// Whether queries may turn: every coming shard has the copies that are wanted, or at least one and no fewer than those that it replaces.
    /// </summary>
    public static bool MayTurn(IReadOnlyList<ShardEntry> present, IReadOnlyList<ShardEntry> coming, Func<ShardId, int> wanted) => coming.All(shard =>
    {
        int serving = shard.Serving.Count();
        int replaced = present.Where(old => old.Slots.From < shard.Slots.To && shard.Slots.From < old.Slots.To).Min(old => old.Serving.Count());
        return serving >= 1 && serving >= Math.Min(wanted(shard.Id), replaced);
    });

    /// <summary>The map's shards after the turn: those of the manifest.</summary>
    public static ImmutableArray<ShardEntry> Turned(CollectionManifest manifest, IReadOnlyList<ShardEntry> present, IReadOnlyList<ShardEntry> coming) =>
        [.. manifest.Shards.Select(shard => EntryOf(manifest, shard, present.Concat(coming)))];

    /// <summary>What is to be placed of a collection.</summary>
    public static IEnumerable<PlacedSegment> SegmentsOf(CollectionManifest manifest, ShardMap? map)
    {
        HashSet<int> live = [.. manifest.Shards.Select(shard => shard.Id)];
        HashSet<int> held = [.. map?.Shards.Select(shard => shard.Id.Number) ?? []];
        Dictionary<ShardId, ShardEntry> known = map?.AllShards.ToDictionary(shard => shard.Id) ?? [];
        foreach (IGrouping<string, ManifestShard> segment in manifest.AllShards.Where(s => live.Contains(s.Id) || held.Contains(s.Id)).GroupBy(s => s.Segment))
        {
            ShardId[] shards = [.. segment.Select(shard => new ShardId(manifest.Name, shard.Id))];
            IEnumerable<ShardEntry> parts = shards.Select(id => known.GetValueOrDefault(id)).OfType<ShardEntry>().OrderByDescending(part => part.Replicas.Length);
            IEnumerable<string> present = parts.SelectMany(part => part.Replicas).Select(replica => replica.Silo).Distinct();
            SegmentMemory memory = manifest.MemoryOf(segment.First(), Residency.Mapped);
            yield return new PlacedSegment(shards[0], memory, shards, [.. present], !segment.Any(shard => live.Contains(shard.Id)));
        }
    }
}
