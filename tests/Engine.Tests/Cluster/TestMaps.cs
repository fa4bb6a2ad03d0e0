using System.Collections.Immutable;
using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>Maps to test with.</summary>
internal static class TestMaps
{
    /// <summary>A map of equal shards of 100 vectors each, all served by "local".</summary>
    internal static ShardMap Map(int shards, long version = 1, string collection = "test") =>
        new(collection, version, Entries(shards, collection));

    /// <summary>The same, every shard in a silo of its own.</summary>
    internal static ShardMap MapOfSilos(int shards) => new(
        "test", 1, [.. Entries(shards, "test").Select(shard => shard with { Replicas = [new Replica($"silo {shard.Id.Number}", ReplicaState.Serving)] })]);

    /// <summary>Equal shards.</summary>
    internal static ImmutableArray<ShardEntry> Entries(int shards, string collection) =>
        [.. Slots.Split(shards).Select((range, i) =>
            new ShardEntry(new ShardId(collection, i), range, 100, [new Replica("local", ReplicaState.Serving)]))];
}
