using Signpost.Engine.Shards;

namespace Signpost.Engine.Cluster;

/// <summary>
/// The shards that a silo is asked for by one query, those that share a segment together: it is searched once. Reusable; allocates only to
/// grow.
/// </summary>
internal sealed class SegmentGroups
{
    private Shard?[] _open = [];
    private int[] _members = [];
    private SlotRange[] _slots = [];
    private int _count;

    /// <summary>Places of the shards of the group that was taken last, in what is asked.</summary>
    public ReadOnlySpan<int> Members => _members.AsSpan(0, _count);

    /// <summary>What is asked of its segment.</summary>
    public ReadOnlySpan<SlotRange> Slots => _slots.AsSpan(0, _count);

    /// <summary>Forgets everything; <paramref name="shards"/> shards will be asked.</summary>
    public void Restart(int shards)
    {
        if (_open.Length < shards)
        {
            (_open, _members, _slots) = (new Shard?[shards], new int[shards], new SlotRange[shards]);
        }

        Array.Clear(_open);
    }

    /// <summary>What is open of the shard at <paramref name="place"/>.</summary>
    public void Add(int place, Shard open) => _open[place] = open;

    /// <summary>Takes the shard at <paramref name="place"/> and those after it that share its segment; null where it is not open, or has been taken.</summary>
    public Shard? Take(int place, ReadOnlySpan<ShardSlots> asked)
    {
        _count = 0;
        if (_open[place] is not { } open)
        {
            return null;
        }

        int end = asked[place].Slots.Count == open.Slots.Count ? place + 1 : asked.Length; // most have a segment of their own
        for (int i = place; i < end; i++)
        {
            if (ReferenceEquals(_open[i], open))
            {
                _open[i] = null;
                _members[_count] = i;
                _slots[_count++] = asked[i].Slots;
            }
        }

        return open;
    }
}
