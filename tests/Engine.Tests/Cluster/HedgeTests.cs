using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>What the coordinator does when a replica is silent and there is another.</summary>
public class HedgeTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Default = TimeSpan.FromMilliseconds(50);

    [Fact]
    public void A_silent_silo_is_hedged_and_the_hedge_wins()
    {
        using var cluster = new ScriptedCluster("a b", "a b");
        cluster.Script = _ => cluster.Calls.Count == 1 ? Reply.Never : Reply.In(5);
        Coordinator coordinator = cluster.NewCoordinator();

        Answered answer = cluster.Ask(coordinator, Long);

        Assert.Equal(cluster.Nearest(10), answer.Hits);
        Assert.True(answer.Value.Coverage.IsFull);
        Assert.False(answer.Value.Stats.DeadlineReached);
        Assert.Equal(Default + TimeSpan.FromMilliseconds(5), answer.Took);
        Assert.Equal(2, cluster.Calls.Count);
        Assert.Equal([true, false], cluster.Calls.Select(call => call.CancelledAt is not null));
        Assert.Equal((1, 0, 0), (coordinator.Hedges, coordinator.Retries, coordinator.Failures));
    }

    [Fact]
    public void The_first_silo_may_still_win_and_the_hedge_is_cancelled()
    {
        using var cluster = new ScriptedCluster("a b", "a b");
        cluster.Script = _ => cluster.Calls.Count == 1 ? Reply.In(60) : Reply.In(40);

        Answered answer = cluster.Ask(cluster.NewCoordinator(), Long);

        Assert.Equal(cluster.Nearest(10), answer.Hits);
        Assert.Equal(TimeSpan.FromMilliseconds(60), answer.Took);
        Assert.Equal([false, true], cluster.Calls.Select(call => call.CancelledAt is not null));
        Assert.Equal(2, answer.Value.Stats.Hops); // what the loser did is nobody's
    }

    [Fact]
    public void Both_may_answer_a_part()
    {
        using var cluster = new ScriptedCluster("a b", "a b", "a b");
        cluster.Script = _ => cluster.Calls.Count == 1 ? Reply.In(60) with { Missing = [2] } : Reply.In(40) with { Missing = [0, 1] };

        Answered answer = cluster.Ask(cluster.NewCoordinator(), Long);

        Assert.Equal(cluster.Nearest(10), answer.Hits);
        Assert.True(answer.Value.Coverage.IsFull);
        Assert.Equal((2, TimeSpan.FromMilliseconds(90)), (cluster.Calls.Count, answer.Took));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(3)]
    [InlineData(400)]
    public void Groups_that_overlap_are_merged_without_a_loss_or_a_double(int k)
    {
        // a is silent for all four shards; b, which has two of them, wins; c fails; then a answers all four.
        using var cluster = new ScriptedCluster("a b", "a c", "a b", "a c", "b");
        cluster.Script = call => call.Silo switch
        {
            "a" => Reply.In(100),
            "b" => Reply.In(call.Shards.Contains(4) ? 1 : 5),
            _ => Reply.FailsIn(2),
        };
        Coordinator coordinator = Settled(cluster, "a");

        Answered answer = cluster.Ask(coordinator, Long, k);

        Assert.Equal(["a: 0 1 2 3", "b: 0 2", "b: 4", "c: 1 3"], cluster.TakeCalls().Order());
        Assert.Equal(cluster.Nearest(k), answer.Hits);
        Assert.True(answer.Value.Coverage.IsFull);
        Assert.Distinct(answer.Hits.Select(hit => hit.Id));
    }

    [Fact]
    public void The_third_replica_is_asked_when_the_second_is_silent_too()
    {
        using var cluster = new ScriptedCluster("a b c");
        cluster.Script = _ => cluster.Calls.Count < 3 ? Reply.Never : Reply.In(1);

        Answered answer = cluster.Ask(cluster.NewCoordinator(), Long);

        Assert.True(answer.Value.Coverage.IsFull);
        Assert.Equal(Default * 2 + TimeSpan.FromMilliseconds(1), answer.Took);
        Assert.Equal(3, cluster.Calls.Select(call => call.Silo).Distinct().Count());
    }

    [Fact]
    public void A_silent_silo_whose_hedge_fails_is_waited_for()
    {
        using var cluster = new ScriptedCluster("a b");
        cluster.Script = _ => cluster.Calls.Count == 1 ? Reply.In(2000) : Reply.FailsIn(1);

        Answered answer = cluster.Ask(cluster.NewCoordinator(), Long);

        Assert.True(answer.Value.Coverage.IsFull);
        Assert.Equal(TimeSpan.FromSeconds(2), answer.Took);
    }

    [Fact]
    public void Where_all_are_silent_the_query_ends_at_the_deadline_and_tells_so()
    {
        using var cluster = new ScriptedCluster("a b", "c");
        cluster.Script = call => call.Silo == "c" ? Reply.In(1) : Reply.Never;
        Coordinator coordinator = cluster.NewCoordinator();

        Answered answer = cluster.Ask(coordinator, TimeSpan.FromMilliseconds(400));

        Assert.Equal(TimeSpan.FromMilliseconds(400), answer.Took);
        Assert.True(answer.Value.Stats.DeadlineReached);
        Assert.Equal(cluster.Nearest(10, without: 0), answer.Hits);
        Assert.Equal(
            ["a: it did not answer by the deadline", "b: it did not answer by the deadline"], Assert.Single(answer.Value.Missing).Reason.Split("; ").Order());
        Assert.Equal(2, coordinator.Failures);
        Assert.All(cluster.Calls, call => Assert.Equal(call.Silo != "c", call.CancelledAt is not null));
    }

    [Fact]
    public void Hedges_begin_at_the_percentile_of_the_silos_own_calls()
    {
        using var cluster = new ScriptedCluster("a b");
        cluster.Script = _ => Reply.In(8);
        Coordinator coordinator = cluster.NewCoordinator();
        for (int i = 0; i < 200; i++)
        {
            cluster.Ask(coordinator, Long);
        }

        cluster.TakeCalls();
        cluster.Script = _ => cluster.Calls.Count == 1 ? Reply.Never : Reply.In(1);
        cluster.Ask(coordinator, Long);
        Assert.InRange(cluster.Calls[1].At - cluster.Calls[0].At, TimeSpan.FromMilliseconds(8), TimeSpan.FromMilliseconds(11));
    }

    [Fact]
    public void Hedges_stay_a_tenth_of_the_calls_when_all_silos_become_slow()
    {
        using var cluster = new ScriptedCluster("a b");
        cluster.Script = _ => Reply.In(2);
        Coordinator coordinator = cluster.NewCoordinator();
        for (int i = 0; i < 200; i++)
        {
            cluster.Ask(coordinator, Long);
        }

        cluster.TakeCalls();
        long hedges = coordinator.Hedges;
        var random = new Seeded(1, 1);
        int slow = 1;
        cluster.Script = _ => Reply.In(slow++ * random.Next(100)); // slower and slower, so that half of the calls are above what was usual
        for (int i = 0; i < 500; i++)
        {
            slow = 1 + (i / 20);
            Assert.True(cluster.Ask(coordinator, Long).Value.Coverage.IsFull);
        }

        // Those of more than a second are asked again in any case; their number is counted here, the budget's is what is left.
        Assert.InRange(coordinator.Hedges - hedges, 20, 10 + 50 + cluster.Calls.Count(call => call.CancelledAt is not null));
    }

    [Fact]
    public void Without_a_budget_a_silent_silo_is_hedged_when_a_quarter_of_the_time_or_a_second_has_passed()
    {
        foreach ((double timeout, double expected) in ((double, double)[])[(2000, 500), (400, 100), (10_000, 1000), (80, 40)])
        {
            using var cluster = new ScriptedCluster("a b");
            Coordinator coordinator = cluster.NewCoordinator();
            SpendBudget(cluster, coordinator);
            cluster.Script = _ => cluster.Calls.Count == 1 ? Reply.Never : Reply.In(1);

            Answered answer = cluster.Ask(coordinator, TimeSpan.FromMilliseconds(timeout), requireFull: true);

            Assert.True(answer.Value.Coverage.IsFull);
            Assert.Equal(TimeSpan.FromMilliseconds(expected + 1), answer.Took);
        }
    }

    [Fact]
    public void A_silo_that_was_silent_is_avoided_afterwards_and_comes_back()
    {
        using var cluster = new ScriptedCluster("a b", "a b");
        cluster.Script = call => call.Silo == "a" ? Reply.Never : Reply.In(1);
        Coordinator coordinator = cluster.NewCoordinator();
        Assert.All(Enumerable.Range(0, 200), _ => Assert.True(cluster.Ask(coordinator, TimeSpan.FromSeconds(1)).Value.Coverage.IsFull));
        Assert.InRange(cluster.Calls.Count(call => call.Silo == "a"), 1, 8);

        cluster.Script = _ => Reply.In(1);
        cluster.Time.Pass(TimeSpan.FromSeconds(60));
        cluster.TakeCalls();
        Assert.All(Enumerable.Range(0, 200), _ => cluster.Ask(coordinator, TimeSpan.FromSeconds(1)));
        Assert.InRange(cluster.Calls.Count(call => call.Silo == "a"), 60, 140);
    }

    [Fact]
    public void A_call_that_nobody_needs_is_cancelled_while_the_query_goes_on()
    {
        using var cluster = new ScriptedCluster("a b", "c");
        cluster.Script = call => call.Silo == "c" ? Reply.In(300) : cluster.Calls.Count(c => c.Silo != "c") == 1 ? Reply.Never : Reply.In(5);

        Answered answer = cluster.Ask(cluster.NewCoordinator(), Long);

        Assert.Equal(TimeSpan.FromMilliseconds(300), answer.Took);
        ScriptedCall silent = cluster.Calls.First(call => call.Silo != "c");
        Assert.Equal(Default + TimeSpan.FromMilliseconds(5), silent.CancelledAt - silent.At);
    }

    [Fact]
    public void The_time_of_a_call_is_not_that_of_the_local_search_that_ran_meanwhile()
    {
        using var cluster = new ScriptedCluster("a b", "here") { Here = "here" };
        cluster.Script = call =>
        {
            cluster.Time.Pass(TimeSpan.FromMilliseconds(call.Silo == "here" ? 200 : 0));
            return call.Silo == "here" ? Reply.AtOnce : Reply.In(8);
        };
        Coordinator coordinator = cluster.NewCoordinator();
        for (int i = 0; i < 200; i++)
        {
            cluster.Ask(coordinator, Long);
        }

        cluster.TakeCalls();
        cluster.Script = call => call.Silo == "here" ? Reply.AtOnce : cluster.Calls.Count == 1 ? Reply.Never : Reply.In(1);
        cluster.Ask(coordinator, Long);
        Assert.InRange(cluster.Calls[2].At - cluster.Calls[0].At, TimeSpan.FromMilliseconds(8), TimeSpan.FromMilliseconds(11));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_calls_that_end_at_once_an_answer_counts_more_than_a_failure_and_failures_ask_the_next_once(bool isAnswered)
    {
        // After 50 ms the silent silos are hedged: that of shard 0 by another, d by the local search, which takes the thread for 30 ms. Both
        // calls for shard 0 end meanwhile, so they are looked at together.
        using var cluster = new ScriptedCluster("a b c", "d here", "e") { Here = "here" };
        ScriptedCall[] others = [];
        cluster.Script = call =>
        {
            others = [.. cluster.Calls.Where(c => c.Shards[0] == 0)];
            cluster.Time.Pass(TimeSpan.FromMilliseconds(call.Silo == "here" ? 30 : 0));
            return call.Silo switch
            {
                "here" => Reply.AtOnce,
                "d" => Reply.Never,
                "e" => Reply.In(100),
                _ when others.Length == 1 => isAnswered ? Reply.In(80) : Reply.FailsIn(80),
                _ when others.Length == 2 => Reply.FailsIn(20),
                _ => Reply.In(1),
            };
        };

        Answered answer = cluster.Ask(cluster.NewCoordinator(localQueue: () => 100), Long);

        Assert.Equal(cluster.Nearest(10), answer.Hits);
        Assert.Equal(isAnswered ? [0, 50] : [0.0, 50, 80], others.Select(call => (call.At - others[0].At).TotalMilliseconds));
    }

    [Fact]
    public void A_shard_with_one_replica_is_not_hedged()
    {
        using var cluster = new ScriptedCluster("a", "b");
        cluster.Script = _ => Reply.In(1500);
        Coordinator coordinator = cluster.NewCoordinator();

        Assert.True(cluster.Ask(coordinator, Long).Value.Coverage.IsFull);

        Assert.Equal((2, 0L), (cluster.Calls.Count, coordinator.Hedges));
    }

    [Fact]
    public void An_answer_that_comes_after_the_end_changes_nothing()
    {
        using var cluster = new ScriptedCluster("a b", "a b");
        cluster.Script = _ => cluster.Calls.Count == 1 ? Reply.FailsIn(300) : Reply.In(1);
        Coordinator coordinator = cluster.NewCoordinator();
        Answered answer = cluster.Ask(coordinator, Long);
        cluster.Script = _ => Reply.In(1000);
        Task<Answered> next = cluster.Start(coordinator, Deadline.After(Long, cluster.Time), k: 5);

        cluster.Time.Pass(TimeSpan.FromMilliseconds(400));
        Assert.False(next.IsCompleted);
        Assert.Equal(cluster.Nearest(10), answer.Hits);
        Assert.Equal(cluster.Nearest(5), cluster.Finish(next).Hits);
        Assert.Equal(0, coordinator.Failures);
    }

    /// <summary>A coordinator that asks <paramref name="silo"/> next where it can, because it asked the others lately and they were slower.</summary>
    private static Coordinator Settled(ScriptedCluster cluster, string silo)
    {
        Func<ScriptedCall, Reply> script = cluster.Script;
        Coordinator coordinator = cluster.NewCoordinator();
        cluster.Script = call => Reply.In(call.Silo == silo ? 1 : 30);
        for (int i = 0; i < 20; i++)
        {
            cluster.Ask(coordinator, Long);
        }

        cluster.TakeCalls();
        cluster.Script = script;
        return coordinator;
    }

    private static void SpendBudget(ScriptedCluster cluster, Coordinator coordinator)
    {
        int calls = 0;
        cluster.Script = _ => calls++ % 2 == 0 ? Reply.In(60) : Reply.In(20);
        long before = -1;
        while (coordinator.Hedges > before)
        {
            before = coordinator.Hedges;
            calls = 0;
            cluster.Ask(coordinator, Long);
        }

        cluster.TakeCalls();
        cluster.Time.Pass(TimeSpan.FromMinutes(5));
    }
}
