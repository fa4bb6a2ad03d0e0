using Signpost.Engine.Base;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Cluster;

/// <summary>The embedded runtime: one process, one silo, which holds every shard of a collection. Thread-safe.</summary>
public sealed class EmbeddedCluster
{
    /// <summary>Name of the only silo.</summary>
    public const string Silo = "local";

    private readonly Lock _change = new();
    private readonly IDisk _disk;
    private readonly string _folder;
    private readonly Collection _collection;

    /// <summary>The cluster of <paramref name="collection"/>, which must stay open.</summary>
    /// <param name="disk">Where the collection is.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="collection">The collection.</param>
    public EmbeddedCluster(IDisk disk, string folder, Collection collection)
    {
        _disk = disk;
        _folder = folder;
        _collection = collection;
        ShardMap map = MapOf(collection);
        Check.That(Completed(State.TryWriteAsync(map, null, CancellationToken.None)));
        Client = ClientOf(collection);
        Coordinator = new Coordinator(map, Client, State);
    }

    /// <summary>Who holds what.</summary>
    public IClusterState State { get; } = new EmbeddedClusterState();

    /// <summary>Asks the shards.</summary>
    public IShardClient Client { get; }

    /// <summary>Answers queries.</summary>
    public Coordinator Coordinator { get; }

    /// <summary>A coordinator that asks the shards of <paramref name="collection"/>, which must stay open, by a method call.</summary>
    public static Coordinator Over(Collection collection) => new(MapOf(collection), ClientOf(collection));

    /// <summary>Asks the shards of <paramref name="collection"/>, the only one of this process, by a method call.</summary>
    public static LocalShardClient ClientOf(Collection collection) => new(Silo, name => name == collection.Manifest.Name ? collection : null);

    /// <summary>The first shard map of <paramref name="collection"/>: a shard that could not be opened is unavailable.</summary>
    public static ShardMap MapOf(Collection collection)
    {
        string name = collection.Manifest.Name;
        return new ShardMap(name, 1, [.. collection.Shards.Select(EntryOf)], collection.Manifest.CodesVersion);

        ShardEntry EntryOf(CollectionShard shard)
        {
            ReplicaState state = shard.Shard is null ? ReplicaState.Unavailable : ReplicaState.Serving;
            return new ShardEntry(new ShardId(name, shard.Entry.Id), shard.Slots, shard.Entry.Count, [new Replica(Silo, state, shard.Reason)]);
        }
    }

    /// <summary>
    /// Turns to the codes that the manifest on disk names, where these are others than those in use: opens them, makes the next queries
    /// use them, lets the old ones go. Queries that run meanwhile are answered by one or the other.
    /// </summary>
    /// <returns>Whether something changed; or why it could not, and everything is as it was.</returns>
    /// <exception cref="BadFileException">A file is missing, damaged or foreign; everything is as it was.</exception>
    public Outcome<bool> Refresh(Work work)
    {
        lock (_change)
        {
            Outcome<CollectionManifest> read = ManifestFile.Open(_disk, _folder);
            if (read.Problem is not null || read.Value!.IsSame(_collection.Manifest))
            {
                return new Outcome<bool>(false, read.Problem);
            }

            if (_collection.OpenCodes(read.Value, work) is { } problem)
            {
                return problem;
            }

            // From here nothing can fail. The collection tells of codes only when the map has them, and none are dropped that a map names.
            uint old = _collection.Manifest.CodesVersion;
            Completed(CodesSwitch.WriteMapAsync(State, read.Value.Name, read.Value.CodesVersion, CancellationToken.None));
            Coordinator.Use(Completed(State.ReadAsync(read.Value.Name, CancellationToken.None))!);
            _collection.Use(read.Value);
            if (old != 0 && old != read.Value.CodesVersion)
            {
                _collection.DropCodes(old);
            }

            return true;
        }
    }

    /// <summary>The result of a call to the state of this process, which never waits.</summary>
    private static T Completed<T>(ValueTask<T> call)
    {
        Check.That(call.IsCompleted);
        return call.GetAwaiter().GetResult();
    }
}
