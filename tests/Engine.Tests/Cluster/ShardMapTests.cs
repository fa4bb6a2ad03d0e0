using System.Collections.Immutable;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;

namespace Signpost.Engine.Tests.Cluster;

public class ShardMapTests
{
    /// <summary>A map of equal shards of 100 vectors each, all served by "local".</summary>
    internal static ShardMap Map(int shards, long version = 1, string collection = "test") =>
        new(collection, version, Entries(shards, collection));

    /// <summary>The same, every shard in a silo of its own.</summary>
    internal static ShardMap MapOfSilos(int shards) => new(
        "test", 1, [.. Entries(shards, "test").Select(shard => shard with { Replicas = [new Replica($"silo {shard.Id.Number}", ReplicaState.Serving)] })]);

    [Fact]
    public void Every_id_has_the_one_shard_that_owns_its_slot()
    {
        ShardMap map = Map(7);

        for (ulong id = 0; id < 1000; id++)
        {
            Assert.Equal(map.Shards.Single(shard => shard.Slots.Owns(id)), map.ShardOf(id));
        }
    }

    [Fact]
    public void Gaps_overlaps_and_repeated_numbers_are_no_map()
    {
        ImmutableArray<ShardEntry> good = Entries(3, "test");

        Assert.Throws<CheckFailedException>(() => new ShardMap("test", 1, good.RemoveAt(0)));
        Assert.Throws<CheckFailedException>(() => new ShardMap("test", 1, good.RemoveAt(1)));
        Assert.Throws<CheckFailedException>(() => new ShardMap("test", 1, good.RemoveAt(2)));
        Assert.Throws<CheckFailedException>(() => new ShardMap("test", 1, good.Insert(1, good[0])));
        Assert.Throws<CheckFailedException>(() => new ShardMap("test", 1, good.SetItem(2, good[2] with { Id = good[0].Id })));
        Assert.Throws<CheckFailedException>(() => new ShardMap("other", 1, good));
    }

    [Fact]
    public void A_change_of_replicas_is_the_next_version_and_leaves_the_old_map_alone()
    {
        ShardMap map = Map(2);

        ShardMap next = map.WithReplicas(1, new Replica("a", ReplicaState.Unavailable, "disk"), new Replica("b", ReplicaState.Opening));

        Assert.Equal(2, next.Version);
        Assert.True(map.Shards[1].IsServing);
        Assert.False(next.Shards[1].IsServing);
        Assert.Equal("a: disk; b: Opening", next.Shards[1].WhyNotServing);
        Assert.True(next.WithReplicas(1, new Replica("a", ReplicaState.Opening), new Replica("b", ReplicaState.Serving)).Shards[1].IsServing);
        Assert.Equal("no silo holds this shard", next.WithReplicas(1).Shards[1].WhyNotServing);
    }

    private static ImmutableArray<ShardEntry> Entries(int shards, string collection) =>
        [.. Slots.Split(shards).Select((range, i) =>
            new ShardEntry(new ShardId(collection, i), range, 100, [new Replica("local", ReplicaState.Serving)]))];
}
