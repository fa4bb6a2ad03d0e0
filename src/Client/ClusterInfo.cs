using System.Collections.Immutable;

namespace Signpost.Client;

/// <summary>The cluster as one silo sees it: who is there, and who holds what.</summary>
public sealed record ClusterInfo
{
    /// <summary>Name of the cluster; null for a silo that is alone.</summary>
    public string? Cluster { get; init; }

    /// <summary>embedded (one silo that is alone) or redis.</summary>
    public required string Runtime { get; init; }

    /// <summary>The silo that answered.</summary>
    public required string Silo { get; init; }

    /// <summary>Version of its program.</summary>
    public required string Version { get; init; }

    /// <summary>Version of the HTTP API.</summary>
    public required int Api { get; init; }

    /// <summary>The silo that places shards; null where nobody does.</summary>
    public string? Leader { get; init; }

    /// <summary>Every silo that is known.</summary>
    public required ImmutableArray<SiloInfo> Silos { get; init; }

    /// <summary>The shard map of every collection.</summary>
    public required ImmutableArray<CollectionMap> Collections { get; init; }

    /// <summary>Copies that are on their way.</summary>
    public ImmutableArray<MoveInfo> Moves
    {
        get => field.IsDefault ? [] : field; // a silo of an earlier version says nothing of it
        init;
    }

    /// <summary>The last training of every collection that had one.</summary>
    public ImmutableArray<TrainingInfo> Trainings
    {
        get => field.IsDefault ? [] : field;
        init;
    }
}

/// <summary>A silo: one process of the cluster.</summary>
public sealed record SiloInfo
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Where it answers.</summary>
    public required string Url { get; init; }

    /// <summary>Where it stands, for example a data centre; null where nobody said.</summary>
    public string? Zone { get; init; }

    /// <summary>serving, or why it is not to be asked any more: draining or leaving.</summary>
    public required string State { get; init; }

    /// <summary>Of its membership: higher after every start. 0 for a silo that is alone.</summary>
    public required long Epoch { get; init; }

    /// <summary>Memory that its process may use.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Memory that its process uses.</summary>
    public required long ResidentBytes { get; init; }

    /// <summary>Vectors that wait or are being searched.</summary>
    public required int Waiting { get; init; }

    /// <summary>Shards that it serves.</summary>
    public required int Shards { get; init; }

    /// <summary>Vectors of clients that it answered in the last ten seconds, per second; null where it does not tell.</summary>
    public double? QueriesPerSecond { get; init; }

    /// <summary>Half of them took at most this, ms; null where it does not tell.</summary>
    public double? LatencyP50Ms { get; init; }

    /// <summary>99 of 100 took at most this, ms; null where it does not tell.</summary>
    public double? LatencyP99Ms { get; init; }

    /// <summary>Share of the time of its search threads that was worked, 0 .. 1; null where it does not tell.</summary>
    public double? BusyShare { get; init; }
}

/// <summary>Who holds what of a collection.</summary>
/// <param name="Name">Name of the collection.</param>
/// <param name="MapVersion">Rises with every change of who holds what.</param>
/// <param name="CodesVersion">Number of the training whose codes queries use; 0: there are no codes.</param>
/// <param name="Vectors">Vectors of all shards.</param>
/// <param name="Shards">The shards in the order of their slots.</param>
public sealed record CollectionMap(string Name, long MapVersion, uint CodesVersion, long Vectors, ImmutableArray<ShardInfo> Shards)
{
    /// <summary>Shards that silos open to take the place of some of these; empty while none are split or merged.</summary>
    public ImmutableArray<ShardInfo> Coming { get; init; } = [];
}

/// <summary>A shard: the slots [SlotFrom, SlotTo) of 16,384, and its copies.</summary>
/// <param name="Shard">Its number.</param>
/// <param name="SlotFrom">First slot.</param>
/// <param name="SlotTo">One after the last slot.</param>
/// <param name="Vectors">Vectors in it.</param>
/// <param name="Replicas">Its copies.</param>
public sealed record ShardInfo(int Shard, int SlotFrom, int SlotTo, long Vectors, ImmutableArray<ReplicaInfo> Replicas);

/// <summary>A copy of a shard in a silo.</summary>
/// <param name="Silo">Name of the silo.</param>
/// <param name="Epoch">Of the silo's membership.</param>
/// <param name="State">serving, opening or unavailable.</param>
/// <param name="Reason">Why it does not serve; null otherwise.</param>
public sealed record ReplicaInfo(string Silo, long Epoch, string State, string? Reason);

/// <summary>A copy of a shard on its way to a silo.</summary>
/// <param name="Collection">Name of the shard's collection.</param>
/// <param name="Shard">Number of the shard.</param>
/// <param name="From">The silo that it leaves when it serves; null where it is one more copy.</param>
/// <param name="To">The silo that opens it.</param>
/// <param name="Bytes">Of its files.</param>
/// <param name="Seconds">Since the silo that answers has seen it.</param>
public sealed record MoveInfo(string Collection, int Shard, string? From, string To, long Bytes, double Seconds);
