using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>What the coordinator does when a replica fails and there is another.</summary>
public class RetryTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(10);
    private static readonly Problem Stale = new(ProblemCode.StaleVersion, "codes", "1", "2", "again");

    public static TheoryData<string> Failures => ["at once", "late", "missing at once", "missing late", "busy", "stale"];

    [Theory]
    [MemberData(nameof(Failures))]
    public void A_shard_that_one_replica_fails_to_answer_is_asked_of_the_other(string how)
    {
        using var cluster = new ScriptedCluster("a b", "a b", "a b");
        string? first = null;
        cluster.Script = call => (first ??= call.Silo) != call.Silo ? Reply.In(1) : Failure(how, call.Shards);
        Coordinator coordinator = cluster.NewCoordinator();

        Answered answer = cluster.Ask(coordinator, Long);

        string second = first == "a" ? "b" : "a";
        Assert.Equal([$"{first}: 0 1 2", $"{second}: 0 1 2"], cluster.TakeCalls());
        Assert.Equal(cluster.Nearest(10), answer.Hits);
        Assert.True(answer.Value.Coverage.IsFull);
        Assert.Empty(answer.Value.Missing);
        Assert.False(answer.Value.Stats.DeadlineReached);
        Assert.Equal((1, 0), (coordinator.Retries, coordinator.Hedges));
        Assert.Equal(how == "stale" ? 0 : 1, coordinator.Failures);
    }

    [Fact]
    public void Only_the_shard_that_is_missing_is_asked_again()
    {
        using var cluster = new ScriptedCluster("a b", "a b", "a b");
        cluster.Script = call => call.Shards.Length == 3 ? Reply.In(1) with { Missing = [1] } : Reply.In(1);

        Answered answer = cluster.Ask(cluster.NewCoordinator(), Long);

        Assert.Equal("1", cluster.TakeCalls()[1].Split(": ")[1]);
        Assert.Equal(cluster.Nearest(10), answer.Hits);
        Assert.Equal(3, answer.Value.Stats.Hops);
    }

    [Fact]
    public void The_shards_of_a_silo_that_failed_are_asked_of_all_who_have_them_in_one_call_each()
    {
        using var cluster = new ScriptedCluster("a b", "a c", "a b", "a c");
        cluster.Script = call => call.Silo == "a" ? Reply.FailsIn(1) : Reply.In(1);

        Answered answer = cluster.Ask(cluster.NewCoordinator(), Long);

        Assert.Equal(["a: 0 1 2 3", "b: 0 2", "c: 1 3"], cluster.TakeCalls().Order());
        Assert.Equal(cluster.Nearest(10), answer.Hits);
    }

    [Fact]
    public void When_no_replica_answers_the_reason_tells_every_attempt()
    {
        using var cluster = new ScriptedCluster("a b c", "d");
        cluster.Script = call => call.Silo == "d" ? Reply.In(1) : new Reply(TimeSpan.FromMilliseconds(1), $"{call.Silo} is down");

        Answered answer = cluster.Ask(cluster.NewCoordinator(), Long);

        Assert.Equal(new Coverage(1, 2, cluster.Map.Shards[1].Vectors, cluster.Map.Vectors), answer.Value.Coverage);
        Assert.Equal(["a: a is down", "b: b is down", "c: c is down"], Assert.Single(answer.Value.Missing).Reason.Split("; ").Order());
        Assert.Equal(cluster.Nearest(10, without: 0), answer.Hits);
        Assert.Equal(4, cluster.Calls.Count);
        Assert.False(answer.Value.Stats.DeadlineReached);
    }

    [Fact]
    public void A_replica_is_asked_at_most_once_in_a_query()
    {
        using var cluster = new ScriptedCluster("a b", "b c", "c a");
        cluster.Script = _ => Reply.FailsIn(1);

        Answered answer = cluster.Ask(cluster.NewCoordinator(), Long, requireFull: true);

        Assert.Equal(ProblemCode.IncompleteCoverage, answer.Outcome.Problem?.Code);
        Assert.Equal(6, cluster.Calls.Sum(call => call.Shards.Length));
        Assert.Equal(6, cluster.Calls.SelectMany(call => call.Shards.Select(shard => (call.Silo, shard))).Distinct().Count());
    }

    [Fact]
    public void After_the_deadline_nothing_is_asked_again()
    {
        using var cluster = new ScriptedCluster("a b");
        cluster.Script = call =>
        {
            cluster.Time.Pass(TimeSpan.FromMilliseconds(20));
            return new Reply(null, $"{call.Silo} is down");
        };

        Answered answer = cluster.Ask(cluster.NewCoordinator(), TimeSpan.FromMilliseconds(10));

        string silo = Assert.Single(cluster.Calls).Silo;
        Assert.Equal($"{silo} is down", Assert.Single(answer.Value.Missing).Reason);
        Assert.True(answer.Value.Stats.DeadlineReached);
    }

    [Fact]
    public void A_stale_replica_whose_map_is_the_newest_is_left_for_another_and_only_where_all_are_stale_the_query_is()
    {
        using var cluster = new ScriptedCluster("a b", "c");
        EmbeddedClusterState state = StateOf(cluster.Map);
        cluster.Script = call => call.Silo == "a" ? new Reply(null, Refusal: Stale) : Reply.In(1);
        Coordinator coordinator = cluster.NewCoordinator(state);
        for (int i = 0; i < 8; i++)
        {
            Assert.Equal(cluster.Nearest(10), cluster.Ask(coordinator, Long).Hits);
        }

        Assert.Contains(cluster.Calls, call => call.Silo == "a");
        cluster.Script = call => call.Silo != "c" ? new Reply(null, Refusal: Stale) : Reply.In(1);
        Assert.Equal(Stale, cluster.Ask(coordinator, Long).Outcome.Problem);
    }

    [Fact]
    public void With_a_newer_map_everything_of_the_older_one_is_thrown_away()
    {
        using var cluster = new ScriptedCluster("a b", "c d");
        ShardMap newer = cluster.Map.WithCodes(7);
        EmbeddedClusterState state = StateOf(cluster.Map, newer);
        cluster.Script = call => call.Shards[0] == 1 && cluster.Calls.Count > 2 ? Reply.In(1)
            : call.Shards[0] == 1 ? Reply.Never : cluster.Calls.Count > 2 ? Reply.In(1) : Reply.In(1) with { Refusal = Stale };
        Coordinator coordinator = cluster.NewCoordinator(state);

        Answered answer = cluster.Ask(coordinator, Long);

        Assert.Equal(cluster.Nearest(10), answer.Hits);
        Assert.Same(newer, coordinator.Map);
        Assert.Equal(TimeSpan.FromMilliseconds(2), answer.Took); // nobody waited for the call that was out
        Assert.True(cluster.Calls.Single(call => call.Shards[0] == 1 && call.At == cluster.Calls[0].At).CancelledAt is not null);
        Assert.Equal((4, 0L), (cluster.Calls.Count, coordinator.Retries));
        Assert.Equal(2, answer.Value.Stats.Hops);
    }

    [Fact]
    public void A_cluster_state_that_hangs_or_fails_does_not_keep_a_query_from_another_replica()
    {
        foreach (bool hangs in (bool[])[true, false])
        {
            using var cluster = new ScriptedCluster("a b");
            string? first = null;
            cluster.Script = call => (first ??= call.Silo) == call.Silo ? new Reply(null, Refusal: Stale) : Reply.In(1);

            Answered answer = cluster.Ask(cluster.NewCoordinator(new BrokenState(hangs)), TimeSpan.FromSeconds(2));

            Assert.True(answer.Value.Coverage.IsFull);
            Assert.Equal(TimeSpan.FromMilliseconds(hangs ? 501 : 1), answer.Took);
        }
    }

    private static Reply Failure(string how, int[] shards) => how switch
    {
        "at once" => new Reply(null, "no connection"),
        "late" => Reply.FailsIn(3),
        "missing at once" => new Reply(Missing: shards),
        "missing late" => Reply.In(3) with { Missing = shards },
        "busy" => Reply.In(3) with { Refusal = new Problem(ProblemCode.Busy, "searches", "9", "8", "later") },
        "stale" => Reply.In(3) with { Refusal = Stale },
        _ => throw new ArgumentOutOfRangeException(nameof(how)),
    };

    private static EmbeddedClusterState StateOf(params ShardMap[] maps)
    {
        var state = new EmbeddedClusterState();
        Assert.All(maps, map => Assert.True(state.TryWriteAsync(map, null, default).GetAwaiter().GetResult()));
        return state;
    }

    private sealed class BrokenState(bool hangs) : IClusterState
    {
        public async ValueTask<ShardMap?> ReadAsync(string collection, CancellationToken cancel)
        {
            await (hangs ? Task.Delay(Timeout.Infinite, cancel) : Task.CompletedTask);
            throw new IOException("the store is down");
        }

        public ValueTask<bool> TryWriteAsync(ShardMap map, Lease? leader, CancellationToken cancel) => throw new NotSupportedException();

        public IAsyncEnumerable<ShardMap> WatchAsync(string collection, CancellationToken cancel) => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<string>> CollectionsAsync(CancellationToken cancel) => throw new NotSupportedException();

        public ValueTask<Lease?> TryAcquireAsync(string role, string holder, TimeSpan duration, CancellationToken cancel) => throw new NotSupportedException();

        public ValueTask<bool> TryRenewAsync(Lease lease, TimeSpan duration, CancellationToken cancel) => throw new NotSupportedException();

        public ValueTask<bool> TryNoteAsync(Lease lease, string note, CancellationToken cancel) => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<NotedLease>> LeasesAsync(string rolePrefix, CancellationToken cancel) => throw new NotSupportedException();

        public ValueTask ReleaseAsync(Lease lease, CancellationToken cancel) => throw new NotSupportedException();
    }
}
