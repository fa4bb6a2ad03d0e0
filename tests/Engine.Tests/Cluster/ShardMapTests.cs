using System.Collections.Immutable;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;

namespace Signpost.Engine.Tests.Cluster;

public class ShardMapTests
{
    [Fact]
    public void Every_id_has_the_one_shard_that_owns_its_slot()
    {
        ShardMap map = TestMaps.Map(7);

        for (ulong id = 0; id < 1000; id++)
        {
            Assert.Equal(map.Shards.Single(shard => shard.Slots.Owns(id)), map.ShardOf(id));
        }
    }

    [Fact]
    public void Gaps_overlaps_and_repeated_numbers_are_no_map()
    {
        ImmutableArray<ShardEntry> good = TestMaps.Entries(3, "test");

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
        ShardMap map = TestMaps.Map(2);

        ShardMap next = map.WithReplicas(1, new Replica("a", ReplicaState.Unavailable, "disk"), new Replica("b", ReplicaState.Opening));

        Assert.Equal(2, next.Version);
        Assert.True(map.Shards[1].IsServing);
        Assert.False(next.Shards[1].IsServing);
        Assert.Equal("a: disk; b: Opening", next.Shards[1].WhyNotServing);
        Assert.True(next.WithReplicas(1, new Replica("a", ReplicaState.Opening), new Replica("b", ReplicaState.Serving)).Shards[1].IsServing);
        Assert.Equal("no silo holds this shard", next.WithReplicas(1).Shards[1].WhyNotServing);
    }
}
