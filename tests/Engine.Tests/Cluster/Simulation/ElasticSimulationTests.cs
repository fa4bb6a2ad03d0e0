using Signpost.Engine.Cluster;

namespace Signpost.Engine.Tests.Cluster.Simulation;

/// <summary>Silos that join and silos that are drained, in whole clusters, with time and faults of the test's making.</summary>
public class ElasticSimulationTests
{
    private static readonly TimeSpan Calm = TimeSpan.FromMinutes(1);

    [Fact]
    public void A_silo_that_joins_gets_its_share_and_nothing_else_is_opened()
    {
        var cluster = new SimulatedCluster(silos: 3, shards: 12, replicas: 2);
        cluster.Run(Calm);
        cluster.Opened = 0;

        cluster.Start("s3");
        cluster.Run(Calm);

        cluster.MustBeWhole();
        Assert.Equal(6, cluster.Opened); // 24 copies in 4 silos
        Assert.All(cluster.Living, silo => Assert.Equal(6, silo.Held.Count));
    }

    [Fact]
    public void A_silo_that_is_drained_serves_until_others_do_and_ends_and_nothing_else_is_opened()
    {
        var cluster = new SimulatedCluster(silos: 4, shards: 12, replicas: 2);
        cluster.Run(Calm);
        int had = cluster.Silos["s1"]!.Held.Count;
        cluster.Opened = 0;

        cluster.Silos["s1"]!.IsDraining = true;
        cluster.Run(Calm);

        Assert.Equal("s1", Assert.Single(cluster.Drained));
        cluster.MustBeWhole();
        Assert.Equal(had, cluster.Opened);
    }

    [Fact]
    public void A_drain_that_is_taken_back_leaves_the_silo_with_shards_and_moves_no_more()
    {
        var cluster = new SimulatedCluster(silos: 3, shards: 12, replicas: 2);
        cluster.Run(Calm);
        cluster.Opened = 0;

        cluster.Silos["s1"]!.IsDraining = true;
        cluster.Run(TimeSpan.FromSeconds(0.5)); // two moves to each of the others have begun
        cluster.Silos["s1"]!.IsDraining = false;
        cluster.Run(Calm);

        Assert.Empty(cluster.Drained);
        Assert.InRange(cluster.Opened, 1, 4);
        cluster.MustBeWhole();
    }

    [Fact]
    public void A_drain_waits_while_copies_would_be_lost_and_goes_on_when_another_silo_joins()
    {
        var cluster = new SimulatedCluster(silos: 2, shards: 4, replicas: 2);
        cluster.Run(Calm);

        cluster.Silos["s0"]!.IsDraining = true;
        cluster.Run(Calm);
        Assert.All(cluster.Maps["c0"].Shards, shard => Assert.Equal(2, shard.Serving.Count()));

        cluster.Start("s2");
        cluster.Run(Calm);
        Assert.Equal("s0", Assert.Single(cluster.Drained));
        cluster.MustBeWhole();
    }

    [Fact]
    public void A_forced_drain_keeps_the_last_copy_of_each_shard()
    {
        var cluster = new SimulatedCluster(silos: 2, shards: 4, replicas: 2);
        cluster.Run(Calm);

        (cluster.Silos["s0"]!.IsDraining, cluster.Silos["s0"]!.MayLoseCopies) = (true, true);
        cluster.Run(Calm);
        Assert.Equal("s0", Assert.Single(cluster.Drained));
        (cluster.Silos["s1"]!.IsDraining, cluster.Silos["s1"]!.MayLoseCopies) = (true, true);
        cluster.Run(Calm);

        Assert.DoesNotContain("s1", cluster.Drained);
        Assert.All(cluster.Maps["c0"].Shards, shard => Assert.True(shard.IsServing));
    }

    [Fact]
    public void A_silo_that_drains_and_starts_anew_is_not_drained_any_more()
    {
        var cluster = new SimulatedCluster(silos: 3, shards: 12, replicas: 2);
        cluster.Run(Calm);
        cluster.Silos["s1"]!.IsDraining = true;
        cluster.Run(TimeSpan.FromSeconds(2));

        cluster.Kill("s1");
        cluster.Start("s1");
        cluster.Run(Calm);

        Assert.Empty(cluster.Drained);
        cluster.MustBeWhole();
    }

    [Fact]
    public void A_balance_that_was_asked_for_is_tighter_once_and_then_kept()
    {
        var cluster = new SimulatedCluster(silos: 3, shards: 40, replicas: 1, movesMax: 100);
        cluster.Run(Calm);
        cluster.Start("s3");
        cluster.Run(Calm);
        Assert.Equal(9, cluster.Silos["s3"]!.Held.Count); // the least that is within a tenth of ten

        Assert.Single(cluster.Silos.Keys, name => cluster.Silos[name]!.Balance(0.01));
        cluster.Run(Calm);
        Assert.All(cluster.Living, silo => Assert.Equal(10, silo.Held.Count));

        long version = cluster.Maps["c0"].Version;
        cluster.Run(Calm);
        Assert.Equal(version, cluster.Maps["c0"].Version);
    }

    [Theory]
    [InlineData("source", false)]
    [InlineData("source", true)]
    [InlineData("target", false)]
    [InlineData("target", true)]
    [InlineData("leader", false)]
    [InlineData("leader", true)]
    public void Source_target_or_leader_of_moves_may_die_before_or_after_each_of_its_calls_to_the_state(string who, bool after)
    {
        for (int at = 1; ; at++)
        {
            var cluster = new SimulatedCluster(silos: 3, shards: 4, replicas: 2); // the leader is the one that steps first
            cluster.Run(TimeSpan.FromSeconds(15));
            cluster.Start("s3");
            cluster.Silos["s1"]!.IsDraining = true;
            string name = who switch { "source" => "s1", "target" => "s3", _ => cluster.Living.Single(silo => silo.Leads).Name };
            SimulatedSilo victim = cluster.Silos[name]!;
            victim.State.CrashAt = victim.State.Calls + at;
            victim.State.CrashAfter = after;
            for (int i = 0; i < 25 && cluster.Silos[name] == victim && !cluster.Drained.Contains("s1"); i++)
            {
                cluster.Run(TimeSpan.FromSeconds(1));
            }

            if (cluster.Drained.Contains("s1") && (who == "source" || cluster.Silos[name] == victim))
            {
                Assert.True(at > 20, "the calls of a drain are more than that");
                cluster.MustBeWhole();
                break;
            }

            Assert.Null(cluster.Silos[name]);
            cluster.Start(name);
            cluster.Run(Calm);
            Assert.Equal(who == "source" ? [] : new[] { "s1" }, cluster.Drained);
            cluster.MustBeWhole();
        }
    }
}
