using Signpost.Engine.Cluster;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>How a leader lets copies move: where silos join, where they are drained, where copies are missing.</summary>
public class MapPlanTests
{
    [Fact]
    public void To_a_silo_that_joins_two_copies_are_on_their_way_at_a_time_until_it_has_its_share()
    {
        var world = new MapPlanWorld(silos: 3, shards: 12, replicas: 2);
        world.Join("s3");

        for (int have = 0; have < 6; have += 2)
        {
            Assert.True(world.Next());
            Assert.Equal((have, 2), (world.Count("s3", ReplicaState.Serving), world.Count("s3", ReplicaState.Opening)));
            Assert.False(world.Next()); // nothing more while they open
            world.OpenAll();
        }

        world.Settle();
        Assert.Equal(6, world.Count("s3", ReplicaState.Serving));
        Assert.All(world.Map.Shards, shard => Assert.Equal(2, shard.Replicas.Length));
    }

    [Fact]
    public void A_copy_that_moves_is_served_in_its_old_silo_until_the_new_one_serves_it()
    {
        var world = new MapPlanWorld(silos: 3, shards: 12, replicas: 2);
        ShardMap before = world.Map;
        world.Join("s3");
        world.Next();

        Assert.All(world.Map.Shards, (shard, i) => Assert.Equal(before.Shards[i].Serving, shard.Serving));
        world.OpenAll();
        world.Next();
        Assert.Equal(2, world.Count("s3", ReplicaState.Serving));
        Assert.All(world.Map.Shards, shard => Assert.Equal(2, shard.Serving.Count()));
    }

    [Fact]
    public void Missing_copies_begin_all_at_once_and_moves_to_the_same_silo_wait_for_them()
    {
        var world = new MapPlanWorld(silos: 3, shards: 12, replicas: 2);
        world.Leave("s0");
        world.Join("s3");

        world.Next();

        Assert.All(world.Map.Shards, shard => Assert.Equal(2, shard.Replicas.Length));
        int missing = world.Map.Shards.Sum(shard => shard.Replicas.Count(r => r.State == ReplicaState.Opening));
        Assert.Equal(8, missing);
        Assert.All(world.Map.Shards, shard => Assert.DoesNotContain(shard.Replicas, r => r.State == ReplicaState.Opening && shard.Serving.Count() > 1));
    }

    [Fact]
    public void What_is_on_its_way_for_a_drain_that_is_taken_back_or_has_failed_is_given_up()
    {
        var world = new MapPlanWorld(silos: 3, shards: 6, replicas: 2);
        ShardMap before = world.Map;
        world.Drain("s1");
        world.Next();
        Replica failed = world.Map.Shards[0].Replicas.First(r => r.State == ReplicaState.Opening);
        world.Fail(failed.Silo, 0);
        Assert.Contains(world.Map.Shards, shard => shard.Replicas.Any(r => r.State == ReplicaState.Opening));

        world.Undrain("s1");
        Assert.Contains(Forecast.Of(world.Input()).Moves, move => move.HasBegun); // it is on its way until the leader says otherwise
        world.Next();
        Assert.All(world.Map.Shards, (shard, i) => Assert.Equal(before.Shards[i].Replicas.AsEnumerable(), shard.Replicas.AsEnumerable()));
    }

    [Fact]
    public void What_a_drained_silo_has_opens_elsewhere_and_then_leaves_it()
    {
        var world = new MapPlanWorld(silos: 4, shards: 12, replicas: 2);
        world.Drain("s1");

        world.Next();
        Assert.Equal(6, world.Count("s1", ReplicaState.Serving)); // nothing has left it yet
        Assert.InRange(world.Map.Shards.Sum(shard => shard.Replicas.Count(r => r.State == ReplicaState.Opening)), 1, 6);
        world.Settle();

        Assert.All(world.Map.Shards, shard => Assert.DoesNotContain(shard.Replicas, r => r.Silo == "s1"));
        Assert.All(world.Map.Shards, shard => Assert.Equal(2, shard.Serving.Count()));
        Assert.False(world.Next());
    }

    [Fact]
    public void A_drain_keeps_what_has_too_few_copies_elsewhere_and_a_forced_one_keeps_the_last()
    {
        var world = new MapPlanWorld(silos: 2, shards: 4, replicas: 2);
        world.Drain("s0");
        world.Settle();
        Assert.Equal(4, world.Count("s0", ReplicaState.Serving));

        world.Drain("s0", mayLoseCopies: true);
        world.Settle();
        Assert.All(world.Map.Shards, shard => Assert.Equal("s1", Assert.Single(shard.Replicas).Silo));

        world.Drain("s1", mayLoseCopies: true);
        world.Settle();
        Assert.Equal(4, world.Count("s1", ReplicaState.Serving));
    }

    [Fact]
    public void A_drain_whose_target_cannot_open_a_shard_keeps_that_shard_and_goes_on_with_others()
    {
        var world = new MapPlanWorld(silos: 3, shards: 6, replicas: 2);
        int[] had = [.. world.Map.Shards.Where(shard => shard.Replicas.Any(r => r.Silo == "s1")).Select(shard => shard.Id.Number)];
        world.Fail("s0", had[0]);
        world.Fail("s2", had[0]);
        world.Drain("s1");

        world.Settle();

        Assert.Equal(had[0], Assert.Single(world.Map.Shards, shard => shard.Replicas.Any(r => r.Silo == "s1")).Id.Number);
    }

    [Fact]
    public void A_drain_that_is_taken_back_drops_no_copy_that_serves_below_what_is_wanted()
    {
        var world = new MapPlanWorld(silos: 3, shards: 6, replicas: 2);
        world.Drain("s1");
        world.Next();
        world.Undrain("s1");

        world.Settle();

        Assert.All(world.Map.Shards, shard => Assert.Equal((2, 2), (shard.Replicas.Length, shard.Serving.Count())));
        Assert.InRange(world.Count("s1", ReplicaState.Serving), 1, 6);
    }

    [Fact]
    public void A_copy_that_is_given_back_serves_when_its_silo_has_seen_the_map_that_gave_it()
    {
        var world = new MapPlanWorld(silos: 2, shards: 1, replicas: 2);
        ShardMap taken = world.Map.WithReplicas(0, world.Map.Shards[0].Replicas.Single(r => r.Silo == "s0")); // s1 has it open still, and may close it any time
        MapInput told = world.Input();
        ShardMap? After(ShardMap map, long seen) => MapPlan.Next(told with
        {
            Maps = new Dictionary<string, ShardMap> { ["c"] = map },
            Members = [.. told.Members.Select(m => m with { Note = m.Note with { Maps = new Dictionary<string, long> { ["c"] = m.Silo.Name == "s1" ? seen : map.Version } } })],
        }).Maps.SingleOrDefault();

        ShardMap given = After(taken, taken.Version)!;
        Assert.Equal([("s0", ReplicaState.Serving, 0L), ("s1", ReplicaState.Opening, given.Version)], given.Shards[0].Replicas.Select(r => (r.Silo, r.State, r.Given)));

        Assert.Null(After(given, taken.Version));
        Assert.All(After(given, given.Version)!.Shards[0].Replicas, replica => Assert.Equal((ReplicaState.Serving, 0L), (replica.State, replica.Given)));
    }

    [Fact]
    public void While_a_silo_is_awaited_nothing_begins_and_nothing_ends()
    {
        var world = new MapPlanWorld(silos: 3, shards: 12, replicas: 2);
        world.Join("s3");
        world.Next();

        MapInput input = world.Input() with { Awaited = new HashSet<string> { "s9" } };

        Assert.Empty(MapPlan.Next(input).Maps);
    }

    [Fact]
    public void The_forecast_of_a_calm_cluster_is_empty_and_of_one_that_a_silo_has_joined_what_the_leader_does()
    {
        var world = new MapPlanWorld(silos: 3, shards: 12, replicas: 2);
        var calm = Forecast.Of(world.Input());
        Assert.Empty(calm.Moves);
        Assert.Equal((0, 0), (calm.Bytes, calm.MinimumBytes));
        Assert.All(calm.Silos, silo => Assert.Equal((8, 8, 8 * world.ShardBytes, 8 * world.ShardBytes), (silo.ShardsBefore, silo.ShardsAfter, silo.BytesAfter, silo.FairBytes)));

        world.Join("s3");
        var joined = Forecast.Of(world.Input());
        Assert.Equal(6, joined.Moves.Count);
        Assert.All(joined.Moves, move => Assert.Equal(("s3", false), (move.To, move.HasBegun)));
        Assert.Equal(6, joined.Moves.Count(move => world.Map.Shards[move.Shard.Number].Replicas.Any(r => r.Silo == move.From)));
        Assert.InRange(joined.MinimumBytes, joined.Bytes / 1.2, joined.Bytes);
        Assert.Equal([6, 6, 6, 6], joined.Silos.Select(silo => silo.ShardsAfter));

        world.Next();
        Assert.Equal(2, Forecast.Of(world.Input()).Moves.Count(move => move.HasBegun));
    }

    [Fact]
    public void A_collection_that_was_built_anew_gets_its_map_when_nobody_has_the_former_one_open_and_nobody_is_awaited_who_might()
    {
        var world = new MapPlanWorld(silos: 3, shards: 4, replicas: 2);
        MapInput served = world.Input();
        CollectionManifest anew = served.Manifests[0] with { Shards = [.. served.Manifests[0].Shards.Select(shard => shard with { Segment = $"{shard.Segment}-anew" })] };
        Assert.NotEqual(served.Manifests[0].Lineage, anew.Lineage);
        Member Tells(Member member, string lineage) => member with { Note = member.Note with { Lineages = new Dictionary<string, string> { ["c"] = lineage } } };
        Member[] former = [.. served.Members.Select(member => Tells(member, world.Map.Lineage))];
        Member[] started = [.. served.Members.Select(member => Tells(member with { Note = member.Note with { Shards = [] } }, anew.Lineage))];
        MapDecision With(Member[] members, params string[] awaited) =>
            MapPlan.Next(served with { Manifests = [anew], Members = members, Awaited = new HashSet<string>(awaited) });

        Assert.Empty(With(former).Maps);
        Assert.Empty(With([started[0], started[1], former[2]]).Maps);
        Assert.Empty(With([started[0], started[1]], "s2").Maps);

        ShardMap next = Assert.Single(With(started).Maps);
        Assert.Equal((anew.Lineage, world.Map.Version + 1), (next.Lineage, next.Version));
        Assert.All(next.Shards.SelectMany(shard => shard.Replicas), replica => Assert.Equal(ReplicaState.Opening, replica.State));

        // One that was away comes back with the former one open: it is not asked.
        ShardMap after = Assert.Single(MapPlan.Next(served with
        {
            Manifests = [anew],
            Maps = new Dictionary<string, ShardMap> { ["c"] = next },
            Members = [.. started[..2].Select(member => member with { Note = member.Note with { Shards = former[0].Note.Shards } }), former[2]],
        }).Maps);
        Assert.All(after.Shards.SelectMany(shard => shard.Replicas).Where(replica => replica.Silo == "s2"), replica =>
        {
            Assert.Equal(ReplicaState.Unavailable, replica.State);
            Assert.Contains("restart it", replica.Reason, StringComparison.Ordinal);
        });
        Assert.Contains(after.Shards.SelectMany(shard => shard.Replicas), replica => replica.Silo != "s2" && replica.State == ReplicaState.Serving);
    }

    [Fact]
    public void The_forecast_of_a_drain_names_the_drained_silo_and_one_without_room_its_gaps()
    {
        var world = new MapPlanWorld(silos: 3, shards: 6, replicas: 2);
        world.Drain("s2");
        var forecast = Forecast.Of(world.Input());
        Assert.Equal(4, forecast.Moves.Count);
        Assert.All(forecast.Moves, move => Assert.Equal("s2", move.From));
        Assert.Equal(forecast.Bytes, forecast.MinimumBytes);

        MapInput small = world.Input();
        small = small with { Members = [.. small.Members.Select(m => m with { Note = m.Note with { MemoryBytes = 5 * world.ShardBytes } })] };
        Assert.Equal(2, Forecast.Of(small).Gaps.Sum(gap => gap.Missing));
    }
}
