using System.Collections.Immutable;
using Signpost.Engine.Base;
using Signpost.Engine.Shards;

namespace Signpost.Engine.Cluster;

/// <summary>Names a shard in the whole cluster.</summary>
/// <param name="Collection">Name of its collection.</param>
/// <param name="Number">Its number in the collection, at least 0.</param>
public readonly record struct ShardId(string Collection, int Number)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Collection}/{Number}";
}

/// <summary>Names a silo as it is while it holds one lease: after a restart, or after others took it for dead, it is another one.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Epoch">Of the lease; 0 in a process that is alone.</param>
public readonly record struct SiloId(string Name, long Epoch)
{
    /// <inheritdoc/>
    public override string ToString() => Epoch == 0 ? Name : $"{Name} (epoch {Epoch})";
}

/// <summary>Names a copy of a shard.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="Silo">The silo that holds the copy.</param>
public readonly record struct ReplicaId(ShardId Shard, SiloId Silo);

/// <summary>Whether a replica can be asked.</summary>
public enum ReplicaState : byte
{
    /// <summary>Its segments are being opened.</summary>
    Opening,

    /// <summary>It answers.</summary>
    Serving,

    /// <summary>It cannot answer; <see cref="Replica.Reason"/> says why.</summary>
    Unavailable,
}

/// <summary>A copy of a shard in a silo.</summary>
/// <param name="Silo">Name of the silo.</param>
/// <param name="State">Whether it can be asked.</param>
/// <param name="Reason">Why it is unavailable; null otherwise.</param>
/// <param name="Epoch">Of the silo's lease; 0 in a process that is alone.</param>
/// <param name="Given">Version of the map that gave it to the silo, until it serves; 0 from then on, and in a first map.</param>
public sealed record Replica(string Silo, ReplicaState State, string? Reason = null, long Epoch = 0, long Given = 0)
{
    /// <summary>The silo, as it was when this was written.</summary>
    public SiloId Id => new(Silo, Epoch);
}

/// <summary>What is known of one shard.</summary>
/// <param name="Id">The shard.</param>
/// <param name="Slots">Slots it owns.</param>
/// <param name="Vectors">Vectors in it.</param>
/// <param name="Replicas">Its copies; any one that serves may be asked.</param>
public sealed record ShardEntry(ShardId Id, SlotRange Slots, long Vectors, ImmutableArray<Replica> Replicas)
{
    /// <summary>Whether any replica can be asked.</summary>
    public bool IsServing => FirstServing is not null;

    /// <summary>The first replica that can be asked; null where there is none.</summary>
    public Replica? FirstServing
    {
        get
        {
            foreach (Replica replica in Replicas)
            {
                if (replica.State == ReplicaState.Serving)
                {
                    return replica;
                }
            }

            return null;
        }
    }

    /// <summary>Those of its copies that can be asked.</summary>
    public IEnumerable<ReplicaId> Serving => Replicas.Where(r => r.State == ReplicaState.Serving).Select(r => new ReplicaId(Id, r.Id));

    /// <summary>All of its copies.</summary>
    public IEnumerable<ReplicaId> All => Replicas.Select(r => new ReplicaId(Id, r.Id));

    /// <summary>Why the shard cannot be asked.</summary>
    public string WhyNotServing =>
        Replicas.Length == 0 ? "no silo holds this shard" : string.Join("; ", Replicas.Select(r => $"{r.Silo}: {r.Reason ?? r.State.ToString()}"));
}

/// <summary>Who holds what of one collection. Immutable; a change makes a new map with the next version.</summary>
public sealed class ShardMap
{
    private readonly ImmutableArray<ShardEntry> _coming;

    /// <summary>A map whose shards, in order, own every slot exactly once.</summary>
    /// <param name="collection">Name of the collection.</param>
    /// <param name="version">1 for the first map of a collection, then one more with every change.</param>
    /// <param name="shards">In the order of their slots; no number twice.</param>
    /// <param name="codesVersion">Number of the training whose codes queries use; 0: there are no codes.</param>
    /// <param name="coming">Shards that will take the place of some of <paramref name="shards"/>, in the order of their slots; no number twice.</param>
    /// <param name="lineage">Of the manifest that the shards are from; empty where nobody said.</param>
    public ShardMap(
        string collection, long version, ImmutableArray<ShardEntry> shards, uint codesVersion = 0, ImmutableArray<ShardEntry> coming = default,
        string lineage = "")
    {
        Check.That(version >= 1);
        int slot = 0;
        var numbers = new HashSet<int>();
        foreach (ShardEntry shard in shards)
        {
            Check.That(shard.Id.Collection == collection && numbers.Add(shard.Id.Number));
            Check.That(shard.Slots.From == slot && shard.Slots.To > slot);
            slot = shard.Slots.To;
        }

        Check.That(slot == Slots.Count);
        Collection = collection;
        Version = version;
        Shards = shards;
        CodesVersion = codesVersion;
        Vectors = shards.Sum(shard => shard.Vectors);
        _coming = coming.IsDefault ? [] : coming;
        Lineage = lineage;
        slot = 0;
        foreach (ShardEntry shard in _coming)
        {
            Check.That(shard.Id.Collection == collection && numbers.Add(shard.Id.Number));
            Check.That(shard.Slots.From >= slot && shard.Slots.To > shard.Slots.From);
            slot = shard.Slots.To;
        }

        Check.That(slot <= Slots.Count);
    }

    /// <summary>Name of the collection.</summary>
    public string Collection { get; }

    /// <summary>Rises by one with every change.</summary>
    public long Version { get; }

    /// <summary>The shards in the order of their slots.</summary>
    public ImmutableArray<ShardEntry> Shards { get; }

    /// <summary>
    /// Shards that silos open while queries still go to those whose slots they will take over. Another map makes them present, all at once:
    /// a query uses one map, so no vector is found twice and none is missed.
    /// </summary>
    public ImmutableArray<ShardEntry> Coming => _coming;

    /// <summary>Every shard that silos are to hold: present ones, then coming ones.</summary>
    public IEnumerable<ShardEntry> AllShards => Shards.Concat(_coming);

    /// <summary>What tells the collection from one that was built anew under its name; empty where nobody said.</summary>
    public string Lineage { get; }

    /// <summary>
    /// Number of the training whose codes a query uses in every shard; 0 where there are no codes. A new map is the moment at which
    /// queries turn to new codes: a query uses one map, so it never compares distances of two versions.
    /// </summary>
    public uint CodesVersion { get; }

    /// <summary>Vectors of all shards.</summary>
    public long Vectors { get; }

    /// <summary>The shard that owns <paramref name="id"/>.</summary>
    public ShardEntry ShardOf(ulong id) => Shards[PlaceOf(id)];

    /// <summary>The next version of this map, where shard <paramref name="number"/> has <paramref name="replicas"/>.</summary>
    public ShardMap WithReplicas(int number, params ReadOnlySpan<Replica> replicas)
    {
        ShardEntry shard = Shards.Single(s => s.Id.Number == number);
        return new ShardMap(Collection, Version + 1, Shards.Replace(shard, shard with { Replicas = [.. replicas] }), CodesVersion, _coming, Lineage);
    }

    /// <summary>The next version of this map, whose queries use the codes of <paramref name="codesVersion"/>.</summary>
    public ShardMap WithCodes(uint codesVersion) => new(Collection, Version + 1, Shards, codesVersion, _coming, Lineage);

    /// <summary>The same map under <paramref name="version"/>: what a runtime restores after its store has lost newer versions.</summary>
    public ShardMap AtVersion(long version) => new(Collection, version, Shards, CodesVersion, _coming, Lineage);

    /// <summary>Place in <see cref="Shards"/> of the shard that owns <paramref name="id"/>.</summary>
    internal int PlaceOf(ulong id)
    {
        int slot = Slots.Of(id);
        int low = 0;
        int high = Shards.Length - 1;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = slot < Shards[middle].Slots.To ? (low, middle) : (middle + 1, high);
        }

        return low;
    }
}
