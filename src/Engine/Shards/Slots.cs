using Signpost.Engine.Base;

namespace Signpost.Engine.Shards;

/// <summary>The hash buckets of a collection: an id belongs to one slot for ever, a shard to a range of slots.</summary>
public static class Slots
{
    /// <summary>Slots of every collection: 2^14, so that thousands of shards can still be cut evenly.</summary>
    public const int Count = 1 << SlotBits;

    private const int SlotBits = 14;

    /// <summary>Every slot.</summary>
    public static SlotRange All => new(0, Count);

    /// <summary>The slot of <paramref name="id"/>, 0 .. 16,383: the top 14 bits of its mix. Files depend on it, so it never changes.</summary>
    public static int Of(ulong id) => (int)(Seeded.Mix(id) >> (64 - SlotBits));

    /// <summary>All slots as <paramref name="shards"/> (1 .. 16,384) ranges in order, whose sizes differ by at most one.</summary>
    public static SlotRange[] Split(int shards)
    {
        Check.That(shards is >= 1 and <= Count);
        var ranges = new SlotRange[shards];
        for (int i = 0; i < shards; i++)
        {
            ranges[i] = new SlotRange((int)((long)i * Count / shards), (int)((i + 1L) * Count / shards));
        }

        return ranges;
    }
}

/// <summary>The slots [From, To), contiguous.</summary>
public readonly record struct SlotRange(int From, int To)
{
    /// <summary>Slots in the range.</summary>
    public int Count => To - From;

    /// <summary>Whether <paramref name="slot"/> is in the range.</summary>
    public bool Contains(int slot) => slot >= From && slot < To;

    /// <summary>Whether <paramref name="id"/> belongs to a slot of the range.</summary>
    public bool Owns(ulong id) => Contains(Slots.Of(id));
}
