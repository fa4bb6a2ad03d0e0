using System.Collections.Immutable;
using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;

namespace Signpost.Engine.Cluster;

/// <summary>The embedded runtime: one process, one silo, which holds every shard of a collection.</summary>
public static class EmbeddedCluster
{
    /// <summary>Name of the only silo.</summary>
    public const string Silo = "local";

    /// <summary>A coordinator that asks the shards of <paramref name="collection"/>, which must stay open, by a method call.</summary>
    public static Coordinator Over(Collection collection) => new(MapOf(collection), new EmbeddedShardClient(collection));

    /// <summary>The first shard map of <paramref name="collection"/>: a shard that could not be opened is unavailable.</summary>
    public static ShardMap MapOf(Collection collection)
    {
        string name = collection.Manifest.Name;
        return new ShardMap(name, 1, [.. collection.Shards.Select(EntryOf)]);

        ShardEntry EntryOf(CollectionShard shard)
        {
            ReplicaState state = shard.Shard is null ? ReplicaState.Unavailable : ReplicaState.Serving;
            return new ShardEntry(new ShardId(name, shard.Entry.Id), shard.Slots, shard.Entry.Count, [new Replica(Silo, state, shard.Reason)]);
        }
    }
}

/// <summary>Asks the shards of <paramref name="collection"/> by a method call, on the caller's thread; allocates nothing.</summary>
public sealed class EmbeddedShardClient(Collection collection) : IShardClient
{
    /// <inheritdoc/>
    public ValueTask<ShardAnswer> SearchAsync(ShardId shard, ShardQuery query, Deadline deadline, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        Check.That(shard.Collection == collection.Manifest.Name);
        using Snapshot snapshot = collection.ShardOf(shard.Number).Snapshot();
        if (snapshot.Validate(query.Query, query.Parameters) is { } problem)
        {
            return new ValueTask<ShardAnswer>(new ShardAnswer(default, default, problem));
        }

        int count = snapshot.Search(query.Query, query.Parameters, deadline, query.Target.Span, out SearchStats stats);
        return new ValueTask<ShardAnswer>(new ShardAnswer(query.Target[..count], stats));
    }
}
