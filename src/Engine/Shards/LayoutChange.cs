using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>
/// Neighbouring shards are replaced by others that own the same slots. One kind of change serves all: a shard is split, two are merged,
/// parts of a segment get segments of their own.
/// </summary>
/// <param name="Replaced">The shards that go, in the order of their slots, without a gap.</param>
/// <param name="Ranges">Slots of those that come, in order; together the same.</param>
/// <param name="OwnSegments">
/// Whether each that comes gets a segment of its own, with a graph built anew. Without it one whose vectors are in one segment is a part of
/// that: nothing is built.
/// </param>
public sealed record LayoutChange(IReadOnlyList<ManifestShard> Replaced, IReadOnlyList<SlotRange> Ranges, bool OwnSegments)
{
    /// <summary>A shard becomes two parts of its segment.</summary>
    /// <param name="manifest">The collection.</param>
    /// <param name="number">The shard.</param>
    /// <param name="at">First slot of the second part; null: the middle of its slots.</param>
    /// <returns>The change; or why not: no such shard, or a slot that leaves nothing on one side.</returns>
    public static Outcome<LayoutChange> Split(CollectionManifest manifest, int number, int? at = null)
    {
        if (Find(manifest, number) is not { Value: { } shard } found)
        {
            return Find(manifest, number).Problem!;
        }

        int slot = at ?? shard.SlotFrom + ((shard.SlotTo - shard.SlotFrom) / 2);
        return slot > shard.SlotFrom && slot < shard.SlotTo
            ? new LayoutChange([shard], [new SlotRange(shard.SlotFrom, slot), new SlotRange(slot, shard.SlotTo)], OwnSegments: false)
            : new Problem(
                ProblemCode.InvalidArgument, $"slot at which shard {number} is split", $"{slot}", $"{shard.SlotFrom + 1} .. {shard.SlotTo - 1}",
                "Choose a slot inside of the shard.");
    }

    /// <summary>Two neighbours become one shard: a part of the segment that they share, else one with a segment of its own, built of both.</summary>
    /// <returns>The change; or why not: no such shards, or no neighbours.</returns>
    public static Outcome<LayoutChange> Merge(CollectionManifest manifest, int one, int other)
    {
        if (Problem.Join([.. new[] { one, other }.Select(number => Find(manifest, number).Problem).OfType<Problem>()]) is { } problem)
        {
            return problem;
        }

        ManifestShard[] both = [.. manifest.Shards.Where(shard => shard.Id == one || shard.Id == other)];
        return both.Length == 2 && both[0].SlotTo == both[1].SlotFrom
            ? new LayoutChange(both, [new SlotRange(both[0].SlotFrom, both[1].SlotTo)], OwnSegments: false)
            : new Problem(
                ProblemCode.InvalidArgument, "shards to merge", $"{one} and {other}", "two shards of which one begins at the slot where the other ends",
                "Choose neighbours: signpost inspect shows the slots.");
    }

    /// <summary>The neighbouring parts of the first segment that has more than one shard's vectors get segments of their own; null where there is none.</summary>
    public static LayoutChange? Compact(CollectionManifest manifest)
    {
        ManifestShard[] parts = [.. manifest.Shards.SkipWhile(shard => shard.Whole is null)];
        ManifestShard[] same = [.. parts.TakeWhile(shard => shard.Whole is not null && shard.Segment == parts[0].Segment)];
        return same.Length == 0 ? null : new LayoutChange(same, [.. same.Select(shard => new SlotRange(shard.SlotFrom, shard.SlotTo))], OwnSegments: true);
    }

    private static Outcome<ManifestShard> Find(CollectionManifest manifest, int number) =>
        manifest.Shards.FirstOrDefault(shard => shard.Id == number) is { } found
            ? found
            : new Problem(
                ProblemCode.NotFound, "shard", $"{number}", $"a shard of collection {manifest.Name}",
                manifest.Replaced.Any(shard => shard.Id == number) ? "It has been replaced by others: signpost inspect shows them." : "signpost inspect shows them.");
}
