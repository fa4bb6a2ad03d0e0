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
    /// <param name="state">Keeps its map, beside those of other collections of this process; null: a state of its own.</param>
    public EmbeddedCluster(IDisk disk, string folder, Collection collection, IClusterState? state = null)
    {
        State = state ?? new EmbeddedClusterState();
        _disk = disk;
        _folder = folder;
        _collection = collection;
        ShardMap map = MapOf(collection);
        Check.That(Completed(State.TryWriteAsync(map, null, CancellationToken.None)));
        Client = ClientOf(collection);
        Coordinator = new Coordinator(map, Client, State);
    }

    /// <summary>Who holds what.</summary>
    public IClusterState State { get; }

    /// <summary>Asks the shards.</summary>
    public IShardClient Client { get; }

    /// <summary>Answers queries.</summary>
    public Coordinator Coordinator { get; }

    /// <summary>A coordinator that asks the shards of <paramref name="collection"/>, which must stay open, by a method call.</summary>
    public static Coordinator Over(Collection collection) => new(MapOf(collection), ClientOf(collection));

    /// <summary>Asks the shards of <paramref name="collection"/>, the only one of this process, by a method call.</summary>
    public static LocalShardClient ClientOf(Collection collection) => new(Silo, name => name == collection.Manifest.Name ? collection : null);

    /// <summary>The first shard map of <paramref name="collection"/>: a shard that could not be opened is unavailable.</summary>
    public static ShardMap MapOf(Collection collection) => MapOf(collection, collection.Manifest, 1);

    /// <summary>
    /// Turns to the codes and the shards that the manifest on disk names, where these are others than those in use: opens them, makes the next
    /// queries use them, lets the old ones go. Queries that run meanwhile are answered by one or the other.
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

            CollectionManifest next = read.Value;
            if ((_collection.OpenCodes(next, work) ?? OpenShards(next, work)) is { } problem)
            {
                return problem;
            }

            // From here nothing can fail. The collection tells of codes only when the map has them, and none are dropped that a map names.
            uint old = _collection.Manifest.CodesVersion;
            WriteMap(next);
            _collection.Use(next);
            Close(_collection.AllShards.Select(shard => shard.Entry.Id).Except(next.Shards.Select(entry => entry.Id)));
            if (old != 0 && old != next.CodesVersion)
            {
                _collection.DropCodes(old);
            }

            return true;
        }
    }

    /// <summary>The map of the shards of <paramref name="manifest"/>, as far as <paramref name="collection"/> has them open.</summary>
    private static ShardMap MapOf(Collection collection, CollectionManifest manifest, long version)
    {
        Dictionary<int, CollectionShard> known = collection.AllShards.ToDictionary(shard => shard.Entry.Id);
        return new ShardMap(manifest.Name, version, [.. manifest.Shards.Select(EntryOf)], manifest.CodesVersion, [], manifest.Lineage);

        ShardEntry EntryOf(ManifestShard entry)
        {
            CollectionShard shard = known[entry.Id];
            ReplicaState state = shard.IsOpen ? ReplicaState.Serving : ReplicaState.Unavailable;
            return new ShardEntry(new ShardId(manifest.Name, entry.Id), new SlotRange(entry.SlotFrom, entry.SlotTo), entry.Count, [new Replica(Silo, state, shard.Reason)]);
        }
    }

    /// <summary>Opens the shards that only <paramref name="next"/> has, all of them or none.</summary>
    private Problem? OpenShards(CollectionManifest next, Work work)
    {
        int[] added = [.. next.Shards.Select(entry => entry.Id).Except(_collection.Shards.Select(shard => shard.Entry.Id))];
        Problem? problem = null;
        try
        {
            foreach (int number in added)
            {
                problem ??= _collection.OpenShard(number, work).Problem;
            }
        }
        catch
        {
            Close(added);
            throw;
        }

        Close(problem is null ? [] : added);
        return problem;
    }

    private void Close(IEnumerable<int> numbers)
    {
        foreach (int number in numbers.ToArray())
        {
            _collection.CloseShard(number);
        }
    }

    /// <summary>Sends queries to the shards and codes of <paramref name="next"/>.</summary>
    private void WriteMap(CollectionManifest next)
    {
        ShardMap map;
        do
        {
            map = MapOf(_collection, next, Completed(State.ReadAsync(next.Name, CancellationToken.None))!.Version + 1);
        }
        while (!Completed(State.TryWriteAsync(map, null, CancellationToken.None)));

        Coordinator.Use(map);
    }

    /// <summary>The result of a call to the state of this process, which never waits.</summary>
    private static T Completed<T>(ValueTask<T> call)
    {
        Check.That(call.IsCompleted);
        return call.GetAwaiter().GetResult();
    }
}
