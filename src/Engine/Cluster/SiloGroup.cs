using Signpost.Engine.Shards;

namespace Signpost.Engine.Cluster;

/// <summary>The shards that one call asks of one silo. Pooled with its <see cref="FanOut"/>.</summary>
internal sealed class SiloGroup
{
    private ShardSlots[] _slots = [];
    private int[] _shards = [];
    private int _count;

    /// <summary>The silo that is asked.</summary>
    public SiloLoad Silo { get; private set; } = null!;

    /// <summary>Whether it is the local one.</summary>
    public bool IsHere { get; private set; }

    /// <summary>What it is asked for.</summary>
    public ReadOnlyMemory<ShardSlots> Slots => _slots.AsMemory(0, _count);

    /// <summary>Places of the same shards in the map.</summary>
    public ReadOnlySpan<int> Shards => _shards.AsSpan(0, _count);

    /// <summary>The call, while it has not ended.</summary>
    public SiloCall? Call { get; set; }

    /// <summary>What is told of the call.</summary>
    public CallTold Told { get; set; }

    /// <summary>Forgets its shards; those to come are asked of <paramref name="silo"/>.</summary>
    public void Restart(SiloLoad silo, bool isHere)
    {
        Silo = silo;
        IsHere = isHere;
        Call = null;
        Told = default;
        _count = 0;
    }

    /// <summary>One shard more.</summary>
    public void Add(int shard, ShardEntry entry)
    {
        if (_count == _shards.Length)
        {
            Array.Resize(ref _shards, Math.Max(4, _count * 2));
            Array.Resize(ref _slots, _shards.Length);
        }

        _shards[_count] = shard;
        _slots[_count++] = new ShardSlots(entry.Id.Number, entry.Slots);
    }
}
