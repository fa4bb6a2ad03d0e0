using Signpost.Engine.Base;
using Signpost.Engine.Cluster;

namespace Signpost.Engine.Tests.Cluster;

public class PlacementTests
{
    [Fact]
    public void Two_silos_of_two_zones_hold_a_replica_of_every_shard_each()
    {
        PlacementPlan plan = PlacementWorld.Of(silos: 2, shards: 3, replicas: 2, zones: 2).Plan();

        Assert.All(plan.Assignment.Values, silos => Assert.Equal(["s0000", "s0001"], silos.Order()));
        Assert.Empty(plan.Gaps);
    }

    [Fact]
    public void Nothing_moves_where_nothing_is_wrong()
    {
        PlacementWorld world = PlacementWorld.Of(silos: 3, shards: 6, replicas: 2, zones: 3);
        PlacementPlan plan = world.Plan();

        Assert.Equal(plan.Assignment, world.After(plan).Plan().Assignment);
        PlacementWorld reversed = world.After(plan) with
        {
            Silos = [.. world.Silos.Reverse()],
            Shards = [.. world.Shards.Reverse()],
            Present = plan.Assignment.ToDictionary(entry => entry.Key, entry => (IReadOnlyList<string>)[.. entry.Value.Reverse()]),
        };
        Assert.Equal(reversed.Present, reversed.Plan().Assignment); // those that hold it now first, in their order
    }

    [Fact]
    public void A_silo_that_is_gone_is_replaced_and_its_shards_alone_move()
    {
        PlacementWorld world = PlacementWorld.Of(silos: 6, shards: 300, replicas: 2, capacity: 10_000, zones: 3);
        PlacementPlan before = world.Plan();
        PlacementWorld without = world.After(before) with { Silos = [.. world.Silos.Skip(1)] };

        PlacementPlan after = without.Plan();

        foreach ((ShardId shard, IReadOnlyList<string> silos) in before.Assignment)
        {
            Assert.Equal(2, after.Assignment[shard].Count);
            Assert.Equal(silos.Where(silo => silo != "s0000"), after.Assignment[shard].Take(silos.Contains("s0000") ? 1 : 2));
        }
    }

    [Fact]
    public void A_leaving_silo_is_as_one_that_is_gone()
    {
        PlacementWorld world = PlacementWorld.Of(silos: 6, shards: 30, replicas: 2, zones: 3);
        world = world.After(world.Plan());

        Assert.Equal(
            (world with { Silos = [.. world.Silos.Skip(1)] }).Plan().Assignment,
            (world with { Silos = [world.Silos[0] with { IsLeaving = true }, .. world.Silos.Skip(1)] }).Plan().Assignment);
    }

    [Fact]
    public void A_silo_that_is_added_gets_its_share_to_the_edge_of_the_tolerance_and_nothing_moves_elsewhere()
    {
        PlacementWorld world = PlacementWorld.Of(silos: 9, shards: 450, replicas: 2, capacity: 10_000);
        world = world.After(world.Plan()) with { Silos = [.. world.Silos, new PlacementSilo("new", "z0", 10_000, false)] };

        PlacementPlan plan = world.Plan();

        long share = 2 * 450 * 10 / 10;
        Assert.Equal(share * 9 / 10, world.Loads(plan.Assignment)["new"]);
        Assert.Equal(share * 9 / 10, world.Moved(plan));
    }

    [Fact]
    public void An_imbalance_within_the_tolerance_moves_nothing_and_one_beyond_it_is_brought_back_to_its_edge()
    {
        // 100 shards of 10 bytes: a fair share is 500.
        foreach ((int first, int moved) in ((int, int)[])[(50, 0), (55, 0), (56, 1), (60, 5), (100, 45)])
        {
            PlacementWorld world = PlacementWorld.Of(silos: 2, shards: 100, replicas: 1, capacity: 2000);
            world = world with { Present = world.Shards.ToDictionary(s => s.Id, s => (IReadOnlyList<string>)[s.Id.Number < first ? "s0000" : "s0001"]) };

            Assert.Equal(moved * 10, world.Moved(world.Plan()));
        }
    }

    [Fact]
    public void Loads_follow_capacities()
    {
        PlacementWorld world = PlacementWorld.Of(silos: 3, shards: 100, replicas: 1);
        world = world with { Silos = [world.Silos[0] with { CapacityBytes = 4000 }, world.Silos[1] with { CapacityBytes = 2000 }, world.Silos[2] with { CapacityBytes = 2000 }] };

        Assert.Equal([500, 250, 250], world.Loads(world.Plan().Assignment).Values);
    }

    [Fact]
    public void Replicas_are_in_distinct_zones_while_there_are_enough_and_even_over_zones_where_there_are_not()
    {
        foreach ((int zones, int replicas, int most) in ((int, int, int)[])[(3, 3, 1), (4, 3, 1), (2, 3, 2), (2, 4, 2), (1, 3, 3)])
        {
            PlacementWorld world = PlacementWorld.Of(silos: 8, shards: 40, replicas, zones: zones);
            PlacementPlan plan = world.Plan();
            Assert.All(plan.Assignment.Values, silos => Assert.Equal(most, silos.GroupBy(world.ZoneOf).Max(zone => zone.Count())));
        }
    }

    [Fact]
    public void A_zone_that_comes_late_gets_the_replicas_that_shared_one()
    {
        PlacementWorld world = PlacementWorld.Of(silos: 4, shards: 40, replicas: 2);
        world = world.After(world.Plan()) with { Silos = [.. world.Silos.Select((silo, i) => silo with { Zone = i < 2 ? "z0" : "z1" })] };
        int crowded = world.Present.Values.Count(silos => silos.Select(world.ZoneOf).Distinct().Count() == 1);

        PlacementPlan plan = world.Plan();

        Assert.All(plan.Assignment.Values, silos => Assert.Equal(2, silos.Select(world.ZoneOf).Distinct().Count()));
        Assert.Equal(crowded * 10, world.Moved(plan)); // one of each, and no other
    }

    [Fact]
    public void A_second_copy_in_a_taken_zone_is_better_than_none()
    {
        PlacementWorld world = PlacementWorld.Of(silos: 3, shards: 10, replicas: 2);
        world = world with { Silos = [new("a", "big", 100, false), new("b", "big", 100, false), new("c", "small", 30, false)] };

        PlacementPlan plan = world.Plan();

        Assert.Empty(plan.Gaps);
        Assert.Equal(3, plan.Assignment.Values.Count(silos => silos.Contains("c")));
        Assert.Equal(0, world.After(plan).Moved(world.After(plan).Plan())); // and it stays there
    }

    [Fact]
    public void What_has_no_room_is_a_gap_with_need_and_have_and_first_replicas_come_first()
    {
        PlacementWorld world = PlacementWorld.Of(silos: 2, shards: 4, replicas: 2, capacity: 35);

        PlacementPlan plan = world.Plan();

        Assert.All(plan.Assignment.Values, silos => Assert.NotEmpty(silos));
        Assert.Equal(2, plan.Gaps.Count);
        Assert.All(plan.Gaps, gap => Assert.Equal((1, "need 10 bytes in one silo, have 5"), (gap.Missing, gap.Reason)));
        Assert.Equal(plan.Assignment.Where(entry => entry.Value.Count == 1).Select(entry => entry.Key.Number).Order(), plan.Gaps.Select(gap => gap.Shard.Number));
    }

    [Fact]
    public void Fewer_silos_than_replicas_are_a_gap_of_every_shard()
    {
        PlacementPlan plan = PlacementWorld.Of(silos: 2, shards: 3, replicas: 3).Plan();

        Assert.All(plan.Assignment.Values, silos => Assert.Equal(2, silos.Count));
        Assert.Equal(3, plan.Gaps.Count);
        Assert.All(plan.Gaps, gap => Assert.Equal((1, "need 3 silos, have 2"), (gap.Missing, gap.Reason)));
        Assert.All(PlacementWorld.Of(silos: 0, shards: 1, replicas: 2).Plan().Gaps, gap => Assert.Equal((2, "need 2 silos, have 0"), (gap.Missing, gap.Reason)));
        Assert.Empty(PlacementWorld.Of(silos: 2, shards: 0, replicas: 3).Plan().Assignment);
    }

    [Fact]
    public void A_silo_that_shrank_keeps_what_fits()
    {
        PlacementWorld world = PlacementWorld.Of(silos: 4, shards: 40, replicas: 1, capacity: 150) with { Tolerance = 1 };
        world = world.After(world.Plan()) with { Silos = [world.Silos[0] with { CapacityBytes = 75 }, .. world.Silos.Skip(1)] };

        PlacementPlan plan = world.Plan();

        Assert.Equal(70, world.Loads(plan.Assignment)["s0000"]);
        Assert.Equal(30, world.Moved(plan));
        Assert.Empty(plan.Gaps);
    }

    [Fact]
    public void The_shards_of_a_silo_have_their_other_replicas_in_all_others_so_that_all_take_its_work_over()
    {
        PlacementPlan plan = PlacementWorld.Of(silos: 10, shards: 1800, replicas: 2, capacity: 10_000).Plan();

        var pairs = plan.Assignment.Values.GroupBy(silos => string.Join(' ', silos.Order())).ToList();
        Assert.Equal(45, pairs.Count); // of 40 shards each, on average
        Assert.All(pairs, pair => Assert.InRange(pair.Count(), 10, 80));
    }

    [Fact]
    public void A_plan_that_is_under_way_is_kept_to()
    {
        PlacementWorld world = PlacementWorld.Of(silos: 9, shards: 450, replicas: 2, capacity: 10_000, zones: 3);
        world = world.After(world.Plan()) with { Silos = [.. world.Silos, new PlacementSilo("new", "z1", 10_000, false)] };
        PlacementPlan plan = world.Plan();

        // Shards are open in the new silo, and in the old ones until that is known.
        PlacementWorld moving = world with
        {
            Present = world.Present.ToDictionary(entry => entry.Key, entry => (IReadOnlyList<string>)[.. entry.Value.Union(plan.Assignment[entry.Key])]),
        };

        PlacementPlan again = moving.Plan();
        Assert.Equal(0, moving.Moved(again));
        Assert.All(again.Assignment.Values, silos => Assert.Equal(2, silos.Count));
        Assert.Equal(plan.Assignment.Where(entry => entry.Value.Contains("new")).Select(entry => entry.Key), again.Assignment.Where(entry => entry.Value.Contains("new")).Select(entry => entry.Key));
    }

    [Fact]
    public void Of_more_replicas_than_wanted_the_newest_stays_and_of_the_older_ones_that_which_shares_no_zone_and_is_in_the_emptiest_silo()
    {
        PlacementSilo[] silos = [new("a", "x", 100, false), new("b", "x", 100, false), new("c", "y", 100, false), new("d", "y", 100, false)];
        PlacementShard[] shards = [new(new ShardId("docs", 0), 20), new(new ShardId("docs", 1), 10)];
        var world = new PlacementWorld(silos, shards, 2)
        {
            Present = new Dictionary<ShardId, IReadOnlyList<string>> { [shards[0].Id] = ["a"], [shards[1].Id] = ["a", "b", "c"] },
            Tolerance = 10,
        };

        Assert.Equal(["b", "c"], world.Plan().Assignment[shards[1].Id]);

        // The newest is in the fullest silo, and has come in the place of one of the others.
        var arrived = new PlacementWorld([.. silos.Select(silo => silo with { Zone = "" })], shards, 2)
        {
            Present = new Dictionary<ShardId, IReadOnlyList<string>> { [shards[0].Id] = ["a", "b"], [shards[1].Id] = ["c", "b", "a"] },
            Tolerance = 10,
        };
        Assert.Equal(["c", "a"], arrived.Plan().Assignment[shards[1].Id]);
    }

    [Fact]
    public void A_shard_of_which_a_replica_is_on_its_way_or_that_stays_is_not_moved_for_balance()
    {
        PlacementWorld world = PlacementWorld.Of(silos: 2, shards: 4, replicas: 1);
        world = world with { Present = world.Shards.ToDictionary(shard => shard.Id, _ => (IReadOnlyList<string>)["s0000"]) };
        int Moved(Func<PlacementShard, PlacementShard> change) => world.Plan().Assignment.Count == 4
            ? (world with { Shards = [.. world.Shards.Select(change)] }).Plan().Assignment.Count(shard => shard.Value[0] != "s0000")
            : -1;

        Assert.Equal(2, Moved(shard => shard));
        Assert.Equal(0, Moved(shard => shard with { IsArriving = true }));
        Assert.Equal(0, Moved(shard => shard with { Stays = true }));
        Assert.Equal(1, Moved(shard => shard with { IsArriving = shard.Id.Number > 0 }));
    }

    [Fact]
    public void A_silo_or_shard_that_is_named_twice_is_a_defect()
    {
        PlacementWorld world = PlacementWorld.Of(silos: 1, shards: 1, replicas: 1);

        Assert.Throws<CheckFailedException>(() => (world with { Silos = [world.Silos[0], world.Silos[0]] }).Plan());
        Assert.Throws<CheckFailedException>(() => (world with { Shards = [world.Shards[0], world.Shards[0]] }).Plan());
        Assert.Throws<CheckFailedException>(() => (world with { Replicas = 0 }).Plan());
    }
}
