using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;

namespace Signpost.Engine.Tests.Cluster.Simulation;

/// <summary>Membership, agents and leaders in whole clusters, with time and faults of the test's making. A seed tells a run.</summary>
public class ClusterSimulationTests
{
    private static readonly TimeSpan Calm = TimeSpan.FromMinutes(1);

    [Fact]
    public void A_cluster_that_starts_serves_every_shard_as_often_as_asked_spread_evenly()
    {
        var cluster = new SimulatedCluster(silos: 3, shards: 12, replicas: 2, collections: 2);

        cluster.Run(Calm);

        cluster.MustBeWhole();
        Assert.All(cluster.Living, silo => Assert.InRange(silo.Held.Count, 15, 17));
        Assert.All(cluster.Maps.Values, map => Assert.InRange(map.Version, 2, 6)); // the first one, and as the silos opened
    }

    [Fact]
    public void The_first_map_waits_until_no_silo_has_joined_for_a_while()
    {
        var cluster = new SimulatedCluster(silos: 1, shards: 4, replicas: 1);
        cluster.Run(TimeSpan.FromSeconds(2));
        cluster.Start("s1");
        cluster.Run(TimeSpan.FromSeconds(2));
        Assert.Empty(cluster.Maps);

        cluster.Run(Calm);

        cluster.MustBeWhole();
        Assert.All(cluster.Living, silo => Assert.Equal(2, silo.Held.Count));
    }

    [Fact]
    public void The_replicas_of_a_silo_that_dies_are_not_asked_at_once_and_replaced_after_the_grace_time()
    {
        var cluster = new SimulatedCluster(silos: 3, shards: 6, replicas: 2);
        cluster.Run(Calm);

        cluster.Kill("s1");
        cluster.Run(SimulatedCluster.LeaseTime + TimeSpan.FromSeconds(2));
        ShardMap soon = cluster.Maps["c0"];
        Assert.All(soon.Shards.SelectMany(s => s.Replicas).Where(r => r.Silo == "s1"), r => Assert.Equal(ReplicaState.Unavailable, r.State));
        Assert.All(soon.Shards, shard => Assert.True(shard.IsServing && shard.Replicas.Length == 2));

        cluster.Run(Calm);
        cluster.MustBeWhole();
    }

    [Fact]
    public void A_silo_that_is_back_within_the_grace_time_serves_what_it_had_and_nothing_moves()
    {
        var cluster = new SimulatedCluster(silos: 3, shards: 6, replicas: 2);
        cluster.Run(Calm);
        string[] before = Places(cluster);

        cluster.Kill("s1");
        cluster.Run(TimeSpan.FromSeconds(6));
        cluster.Start("s1");
        cluster.Run(Calm);

        cluster.MustBeWhole();
        Assert.Equal(before, Places(cluster));
    }

    [Fact]
    public void A_silo_that_was_frozen_answers_nobody_until_it_has_looked_and_never_again_for_its_old_epoch()
    {
        var cluster = new SimulatedCluster(silos: 3, shards: 6, replicas: 2);
        cluster.Run(Calm);
        SimulatedSilo silo = cluster.Silos["s1"]!;
        SiloId old = silo.Lease.Silo!.Value;
        Assert.Null(silo.Lease.WhyNot(old));

        silo.IsFrozen = true;
        cluster.Run(TimeSpan.FromSeconds(6));
        silo.IsFrozen = false;
        Assert.Contains("lost its lease", silo.Lease.WhyNot(old), StringComparison.Ordinal);

        silo.Step(0);
        Assert.Contains("has ended", silo.Lease.WhyNot(old), StringComparison.Ordinal);
        cluster.Run(Calm);
        cluster.MustBeWhole();
        Assert.NotNull(silo.Lease.WhyNot(old));
    }

    [Fact]
    public void Silos_that_cannot_reach_the_state_serve_on_with_the_last_map()
    {
        var cluster = new SimulatedCluster(silos: 3, shards: 6, replicas: 2);
        cluster.Run(Calm);
        Dictionary<string, SiloId> ids = cluster.Living.ToDictionary(s => s.Name, s => s.Lease.Silo!.Value);

        foreach (SimulatedSilo silo in cluster.Living)
        {
            silo.State.IsCut = true;
        }

        for (int i = 0; i < 20; i++)
        {
            cluster.Run(TimeSpan.FromSeconds(2));
            Assert.All(cluster.Living, silo => Assert.Null(silo.Lease.WhyNot(ids[silo.Name])));
            Assert.All(cluster.Living, silo => Assert.NotNull(silo.Lease.Unreachable));
        }

        foreach (SimulatedSilo silo in cluster.Living)
        {
            silo.State.IsCut = false;
        }

        for (int i = 0; i < 60; i++)
        {
            cluster.Run(TimeSpan.FromMilliseconds(500)); // they come back one after the other, and nobody takes the later ones for gone
            Assert.All(cluster.Maps["c0"].Shards.SelectMany(shard => shard.Replicas), r => Assert.Equal(ReplicaState.Serving, r.State));
            Assert.All(cluster.Maps["c0"].Shards.SelectMany(shard => shard.Serving), r => Assert.Null(cluster.Silos[r.Silo.Name]!.Lease.WhyNot(r.Silo)));
        }

        cluster.MustBeWhole();
    }

    [Fact]
    public void Queries_turn_to_new_codes_when_all_have_them()
    {
        var cluster = new SimulatedCluster(silos: 3, shards: 6, replicas: 2);
        cluster.Run(Calm);

        cluster.Train("c0");
        cluster.Step("s0", 1);
        cluster.Step("s0", 0);
        foreach (string name in cluster.Silos.Keys)
        {
            cluster.Step(name, 2);
        }

        Assert.Equal(1u, cluster.Maps["c0"].CodesVersion);
        cluster.Run(Calm);
        Assert.Equal(2u, cluster.Maps["c0"].CodesVersion);
        cluster.MustBeWhole();
        Assert.All(cluster.Living.SelectMany(s => s.Held), held => Assert.Equal([0u, 2u], held.CodesVersions)); // the old ones are gone
    }

    [Fact]
    public void Queries_turn_to_the_halves_of_a_shard_where_it_is_and_to_their_own_segments_when_all_serve()
    {
        var cluster = new SimulatedCluster(silos: 3, shards: 2, replicas: 2);
        cluster.Run(Calm);
        string[] silos = [.. cluster.Maps["c0"].Shards[0].Replicas.Select(r => r.Silo)];
        long version = cluster.Maps["c0"].Version;

        cluster.Change("c0", LayoutChange.Split(cluster.ManifestOf("c0"), 0).Value);
        cluster.Run(Calm);
        cluster.MustBeWhole();
        Assert.All(cluster.Maps["c0"].Shards.Take(2), half => Assert.Equal(silos, half.Replicas.Select(r => r.Silo)));
        Assert.InRange(cluster.Maps["c0"].Version - version, 2, 4); // coming, opening, turned

        cluster.Change("c0", LayoutChange.Compact(cluster.ManifestOf("c0")));
        cluster.Change("c0", LayoutChange.Merge(cluster.ManifestOf("c0"), 4, 5).Value); // before anybody has turned
        cluster.Run(Calm);
        cluster.MustBeWhole();
        Assert.Equal([6, 1], cluster.Maps["c0"].Shards.Select(s => s.Id.Number));
        Assert.Equal(2, cluster.Turns);
    }

    [Fact]
    public void Queries_stay_with_the_old_shards_while_the_new_ones_cannot_be_opened()
    {
        var cluster = new SimulatedCluster(silos: 2, shards: 2, replicas: 2);
        cluster.Run(Calm);

        cluster.IsDamaged = true;
        cluster.Change("c0", LayoutChange.Split(cluster.ManifestOf("c0"), 1).Value);
        cluster.Run(Calm);
        Assert.Equal([0, 1], cluster.Maps["c0"].Shards.Select(s => s.Id.Number));
        Assert.Equal([2, 3], cluster.Maps["c0"].Coming.Select(s => s.Id.Number));
        Assert.All(cluster.Maps["c0"].Shards, shard => Assert.Equal(2, shard.Serving.Count()));

        cluster.IsDamaged = false;
        cluster.Run(Calm);
        cluster.MustBeWhole();
    }

    [Fact]
    public void A_collection_built_anew_under_its_name_is_left_alone()
    {
        var cluster = new SimulatedCluster(silos: 2, shards: 2, replicas: 2);
        cluster.Run(Calm);
        long version = cluster.Maps["c0"].Version;

        cluster.Rebuild("c0", shards: 3);
        cluster.Run(Calm);

        Assert.Equal((version, 2), (cluster.Maps["c0"].Version, cluster.Maps["c0"].Shards.Length));
    }

    [Fact]
    public void Nobody_asks_a_silo_that_stops_while_another_has_the_shard_and_nothing_moves_at_once()
    {
        var cluster = new SimulatedCluster(silos: 3, shards: 6, replicas: 2);
        cluster.Run(Calm);
        string[] before = Places(cluster);

        cluster.Silos["s2"]!.IsLeaving = true;
        cluster.Run(TimeSpan.FromSeconds(3));

        Assert.All(cluster.Maps["c0"].Shards, shard => Assert.DoesNotContain(shard.Serving, r => r.Silo.Name == "s2"));
        Assert.All(cluster.Maps["c0"].Shards, shard => Assert.True(shard.IsServing));
        Assert.Equal(before, Places(cluster));
    }

    [Fact]
    public void A_shard_that_cannot_be_opened_says_why_and_is_tried_again()
    {
        var cluster = new SimulatedCluster(silos: 2, shards: 2, replicas: 1) { IsDamaged = true };
        cluster.Run(Calm);
        Assert.All(cluster.Maps["c0"].Shards, shard => Assert.Contains("its file is cut", shard.WhyNotServing, StringComparison.Ordinal));

        cluster.IsDamaged = false;
        cluster.Run(Calm);
        cluster.MustBeWhole();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_process_may_die_before_or_after_each_of_its_calls_to_the_state(bool after)
    {
        for (int at = 1; ; at++)
        {
            var cluster = new SimulatedCluster(silos: 3, shards: 4, replicas: 2);
            SimulatedSilo first = cluster.Silos["s0"]!; // steps first, hence leads
            first.State.CrashAt = at;
            first.State.CrashAfter = after;
            cluster.Run(TimeSpan.FromSeconds(8));
            cluster.Train("c0");
            cluster.Run(TimeSpan.FromSeconds(4));
            cluster.Change("c0", LayoutChange.Split(cluster.ManifestOf("c0"), 0).Value);
            cluster.Run(TimeSpan.FromSeconds(4));
            if (cluster.Silos["s0"] is not null)
            {
                Assert.True(at > 100, "the calls of a start, a map and a switch of codes are more than that");
                break;
            }

            cluster.Run(Calm);
            cluster.MustBeWhole();
            cluster.Start("s0");
            cluster.Run(Calm);
            cluster.MustBeWhole();
        }
    }

    /// <summary>Which silos have which shard.</summary>
    private static string[] Places(SimulatedCluster cluster) =>
        [.. cluster.Maps["c0"].Shards.Select(s => $"{s.Id}: {string.Join(' ', s.Replicas.Select(r => r.Silo).Order())}")];
}
