using Signpost.Engine.Cluster;
using Signpost.Engine.Search;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>Whom a query asks where it has a choice.</summary>
public class ReplicaChoiceTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(10);

    [Fact]
    public void The_local_silo_is_asked_for_all_that_it_serves_and_last()
    {
        using var cluster = new ScriptedCluster("a here", "here a", "a b") { Here = "here" };
        Coordinator coordinator = cluster.NewCoordinator();

        for (int i = 0; i < 20; i++)
        {
            cluster.Ask(coordinator, Long);
            string[] calls = cluster.TakeCalls();
            Assert.Equal(2, calls.Length);
            Assert.Equal("here: 0 1", calls[1]);
        }
    }

    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(8, 0, true)]
    [InlineData(9, 0, false)]
    [InlineData(16, 2, true)]
    [InlineData(17, 2, false)]
    public void A_local_queue_that_is_much_longer_than_anothers_sends_queries_away(int queue, int outstanding, bool isHere)
    {
        using var cluster = new ScriptedCluster("here a", "here") { Here = "here" };
        int waiting = 9999;
        Coordinator coordinator = cluster.NewCoordinator(localQueue: () => waiting);
        cluster.Script = call => call.Silo == "a" ? Reply.In(10_000) : Reply.AtOnce;
        for (int i = 0; i < outstanding; i++)
        {
            _ = cluster.Start(coordinator, Deadline.None);
        }

        cluster.TakeCalls();
        waiting = queue;
        _ = cluster.Start(coordinator, Deadline.None);

        Assert.Equal(isHere ? ["here: 0 1"] : ["a: 0", "here: 1"], cluster.TakeCalls());
    }

    [Fact]
    public void A_local_silo_that_fails_is_replaced_and_tried_again()
    {
        using var cluster = new ScriptedCluster("here a") { Here = "here" };
        cluster.Script = call => call.Silo == "here" ? new Reply(null, "it is closed") : Reply.In(1);
        Coordinator coordinator = cluster.NewCoordinator();

        Assert.Equal(cluster.Nearest(10), cluster.Ask(coordinator, Long).Hits);
        Assert.Equal(["here: 0", "a: 0"], cluster.TakeCalls());
        cluster.Ask(coordinator, Long);
        Assert.Equal(["a: 0"], cluster.TakeCalls());
        cluster.Time.Pass(TimeSpan.FromMilliseconds(100));
        cluster.Script = _ => Reply.AtOnce;
        cluster.Ask(coordinator, Long);
        cluster.Ask(coordinator, Long);
        Assert.Equal(["here: 0", "here: 0"], cluster.TakeCalls());
    }

    [Fact]
    public void Few_silos_are_asked()
    {
        using var cluster = new ScriptedCluster("a b", "b c", "c d", "d e", "e f", "f b", "b a", "a c b");
        Coordinator coordinator = cluster.NewCoordinator();
        for (int i = 0; i < 50; i++)
        {
            cluster.Ask(coordinator, Long);
            string[] calls = cluster.TakeCalls();
            Assert.Equal("b: 0 1 5 6 7", calls[0]);
            Assert.InRange(calls.Length, 3, 3); // c d, d e, e f: two silos at least
        }
    }

    [Fact]
    public void Equal_silos_share_the_queries()
    {
        using var cluster = new ScriptedCluster("a b c d", "d c b a");
        Coordinator coordinator = cluster.NewCoordinator();
        for (int i = 0; i < 400; i++)
        {
            cluster.Ask(coordinator, Long);
        }

        Assert.Equal(400, cluster.Calls.Count);
        Assert.All(cluster.Calls.GroupBy(call => call.Silo), group => Assert.InRange(group.Count(), 70, 130));
        Assert.NotEqual(cluster.Calls.Take(4).Select(c => c.Silo), cluster.Calls.Skip(4).Take(4).Select(c => c.Silo));
    }

    [Fact]
    public void The_same_queries_are_spread_in_the_same_way()
    {
        string[] first = Calls();
        Assert.Equal(first, Calls());

        static string[] Calls()
        {
            using var cluster = new ScriptedCluster("a b c", "c b a", "a b");
            Coordinator coordinator = cluster.NewCoordinator();
            for (int i = 0; i < 50; i++)
            {
                cluster.Ask(coordinator, Long);
            }

            return cluster.TakeCalls();
        }
    }

    [Fact]
    public void The_silo_with_fewer_calls_out_is_asked()
    {
        using var cluster = new ScriptedCluster("a b");
        cluster.Script = _ => Reply.In(20);
        Coordinator coordinator = cluster.NewCoordinator();

        for (int i = 0; i < 64; i++)
        {
            _ = cluster.Start(coordinator, Deadline.None);
        }

        Assert.InRange(cluster.Calls.Count(call => call.Silo == "a"), 20, 44);
    }

    [Fact]
    public void A_slow_silo_gets_few_queries_until_it_is_fast_again()
    {
        using var cluster = new ScriptedCluster("a b");
        cluster.Script = call => Reply.In(call.Silo == "a" ? 20 : 2);
        Coordinator coordinator = cluster.NewCoordinator();
        Ask(500);
        Assert.InRange(cluster.Calls.Count(call => call.Silo == "a"), 1, 25);

        cluster.Script = call => Reply.In(2);
        Ask(6000);
        cluster.TakeCalls();
        Ask(1000);
        Assert.InRange(cluster.Calls.Count(call => call.Silo == "a"), 300, 700);

        void Ask(int queries)
        {
            for (int i = 0; i < queries; i++)
            {
                cluster.Ask(coordinator, Long);
            }
        }
    }

    [Fact]
    public void A_silo_that_failed_is_asked_only_where_there_is_no_other()
    {
        using var cluster = new ScriptedCluster("a b", "a");
        cluster.Script = call => call.Silo == "a" ? Reply.FailsIn(1) : Reply.In(1);
        Coordinator coordinator = cluster.NewCoordinator();
        cluster.Ask(coordinator, Long);
        cluster.TakeCalls();

        cluster.Ask(coordinator, Long);
        Assert.Equal(["a: 1", "b: 0"], cluster.TakeCalls().Order());
    }

    [Fact]
    public void After_the_pause_of_a_silo_that_failed_one_query_tries_it_and_all_when_that_was_answered()
    {
        using var cluster = new ScriptedCluster("a b");
        cluster.Script = call => call.Silo == "a" ? Reply.FailsIn(1) : Reply.In(1);
        Coordinator coordinator = cluster.NewCoordinator();
        while (coordinator.Failures == 0)
        {
            cluster.Ask(coordinator, Long);
        }

        cluster.Script = _ => Reply.In(1);
        cluster.Time.Pass(TimeSpan.FromMilliseconds(98));
        Assert.Equal(["b", "b", "b", "b", "b"], AskFive());
        Assert.Equal(["a", "b", "b", "b", "b"], AskFive());
        Assert.Contains("a", Enumerable.Range(0, 5).SelectMany(_ => AskFive()));

        IEnumerable<string> AskFive()
        {
            cluster.TakeCalls();
            Task<Answered>[] searches = [.. Enumerable.Range(0, 5).Select(_ => cluster.Start(coordinator, Deadline.None))];
            Assert.All(searches, search => Assert.True(cluster.Finish(search).Value.Coverage.IsFull));
            cluster.Time.Pass(TimeSpan.FromMilliseconds(1));
            return cluster.Calls.Select(call => call.Silo).Order();
        }
    }

    [Fact]
    public void What_fails_because_the_query_is_over_is_not_the_silos_fault()
    {
        using var cluster = new ScriptedCluster("here a") { Here = "here" };
        cluster.Script = _ =>
        {
            cluster.Time.Pass(TimeSpan.FromMilliseconds(30));
            return new Reply(null, "no time");
        };
        Coordinator coordinator = cluster.NewCoordinator();
        Assert.False(cluster.Ask(coordinator, TimeSpan.FromMilliseconds(20)).Value.Coverage.IsFull);

        cluster.TakeCalls();
        cluster.Script = _ => Reply.AtOnce;
        cluster.Ask(coordinator, Long);
        Assert.Equal(["here: 0"], cluster.TakeCalls());
    }

    [Fact]
    public void What_was_seen_of_a_silo_goes_on_with_the_next_map_but_not_with_its_next_epoch()
    {
        using var cluster = new ScriptedCluster("a b");
        cluster.Script = call => call.Silo == "a" ? Reply.FailsIn(1) : Reply.In(1);
        Coordinator coordinator = cluster.NewCoordinator();
        while (coordinator.Failures == 0)
        {
            cluster.Ask(coordinator, Long);
        }

        var before = new Routes(cluster.Map, null, null);
        before.Silos[0].Failed(TimeSpan.Zero, TimeSpan.Zero);
        ShardMap restarted = cluster.Map.WithReplicas(0, new Replica("a", ReplicaState.Serving, Epoch: 2), new Replica("b", ReplicaState.Serving));
        Assert.Equal([true, false], new Routes(cluster.Map.WithCodes(3), null, before).Silos.Select(silo => silo.IsAvoided));
        Assert.Equal([false, false], new Routes(restarted, null, before).Silos.Select(silo => silo.IsAvoided));

        cluster.TakeCalls();
        coordinator.Use(cluster.Map.WithCodes(3));
        cluster.Ask(coordinator, Long);
        Assert.Equal(["b: 0"], cluster.TakeCalls());
    }
}
