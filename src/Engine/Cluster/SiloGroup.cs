using Signpost.Engine.Shards;

namespace Signpost.Engine.Cluster;

/// <summary>The shards that one search asks of one silo. Pooled with its <see cref="FanOut"/>.</summary>
internal sealed class SiloGroup
{
    private ShardSlots[] _shards = [];
    private ShardEntry[] _entries = [];
    private int _count;

    /// <summary>The silo that is asked.</summary>
    public SiloId Silo { get; private set; }

    /// <summary>What it is asked for.</summary>
    public ReadOnlyMemory<ShardSlots> Shards => _shards.AsMemory(0, _count);

    /// <summary>The same shards, as the map has them.</summary>
    public ReadOnlySpan<ShardEntry> Entries => _entries.AsSpan(0, _count);

    /// <summary>Forgets its shards; those to come are asked of <paramref name="silo"/>.</summary>
    public void Restart(SiloId silo)
    {
        Silo = silo;
        _count = 0;
    }

    /// <summary>One shard more.</summary>
    public void Add(ShardEntry shard)
    {
        if (_count == _shards.Length)
        {
            Array.Resize(ref _shards, Math.Max(4, _count * 2));
            Array.Resize(ref _entries, _shards.Length);
        }

        _entries[_count] = shard;
        _shards[_count++] = new ShardSlots(shard.Id.Number, shard.Slots);
    }
}
