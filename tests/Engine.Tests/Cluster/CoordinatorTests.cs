using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>The coordinator over shards that are slow, dead, wrong or merely remote. Four shards of 100 vectors.</summary>
public sealed class CoordinatorTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan Never = TimeSpan.FromMinutes(10);

    private readonly ShardMap _map = TestMaps.MapOfSilos(4);
    private readonly Query _query = new(1, ElementType.Float32, Metric.L2);
    private readonly Hit[] _hits = new Hit[10];

    public void Dispose() => _query.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Answers_of_all_shards_are_merged_and_their_stats_summed(bool remote)
    {
        var client = new FakeClient(_map, remote ? Yield : null);

        SearchAnswer answer = await Ask(client, k: 10);

        Assert.Equal(client.All.Order().Take(10), _hits);
        Assert.Equal(new Coverage(4, 4, 400, 400), answer.Coverage);
        Assert.Equal((4, 40), (answer.Stats.Hops, answer.Stats.DistanceComputations));
        Assert.Empty(answer.Missing);
    }

    [Fact]
    public async Task Ties_across_shards_are_ordered_by_id()
    {
        var client = new FakeClient(_map, distanceOf: _ => 7);

        await Ask(client, k: 10);

        Assert.Equal(Enumerable.Range(0, 10).Select(i => new Hit((ulong)i, 7)), _hits);
    }

    [Fact]
    public async Task K_beyond_all_vectors_gives_all_of_them()
    {
        var client = new FakeClient(_map);
        Hit[] hits = new Hit[1000];

        Outcome<SearchAnswer> answer = await new Coordinator(_map, client).SearchAsync(_query, Request(1000), Deadline.None, hits, default);

        Assert.Equal(400, answer.Value.Count);
        Assert.Equal(client.All.Order(), hits.Take(400));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_shard_that_fails_is_left_out_with_its_reason(bool remote)
    {
        var client = new FakeClient(_map, async (shard, cancel) =>
        {
            if (remote)
            {
                await Task.Yield();
            }

            throw new IOException($"the disk of {shard} is gone");
        }, strange: 2);

        SearchAnswer answer = await Ask(client, k: 10);

        Assert.Equal(new Coverage(3, 4, 300, 400), answer.Coverage);
        Assert.Equal(new MissingShard(_map.Shards[2].Id, "the disk of test/2 is gone"), Assert.Single(answer.Missing));
        Assert.Equal(client.AllBut(2).Order().Take(10), _hits);
    }

    [Fact]
    public async Task A_shard_that_fails_before_it_returns_a_task_is_left_out_too()
    {
        var client = new FakeClient(_map, (_, _) => throw new IOException("no connection"), strange: 0);

        SearchAnswer answer = await Ask(client, k: 10);

        Assert.Equal("no connection", Assert.Single(answer.Missing).Reason);
    }

    [Fact]
    public async Task A_shard_that_hangs_is_left_out_when_the_deadline_passes()
    {
        var client = new FakeClient(_map, (_, _) => Task.Delay(Never), strange: 1);

        // A machine under load may not even ask all shards in this time, so only what always holds is asserted.
        SearchAnswer answer = await Ask(client, k: 10, Deadline.After(Soon));

        Assert.Contains(answer.Missing, missing => missing.Shard == _map.Shards[1].Id);
        Assert.Equal(4, answer.Coverage.ShardsAnswered + answer.Missing.Count);
        Assert.True(answer.Stats.DeadlineReached);
    }

    [Fact]
    public async Task The_answer_without_a_shard_that_was_given_up_is_that_of_the_others()
    {
        using var stop = new CancellationTokenSource();
        var client = new FakeClient(_map, (_, _) => Task.Delay(Never), strange: 1);

        ValueTask<Outcome<SearchAnswer>> search =
            new Coordinator(_map, client).SearchAsync(_query, Request(10), Deadline.OnCancel(stop.Token), _hits, default);
        Assert.False(search.IsCompleted);
        await stop.CancelAsync();
        SearchAnswer answer = (await search).Value;

        Assert.Equal(new Coverage(3, 4, 300, 400), answer.Coverage);
        Assert.Equal(new MissingShard(_map.Shards[1].Id, "it did not answer by the deadline"), Assert.Single(answer.Missing));
        Assert.True(answer.Stats.DeadlineReached);
        Assert.Equal(client.AllBut(1).Order().Take(10), _hits);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_late_failure_of_a_shard_that_was_given_up_is_nobodys(bool cancelled)
    {
        string message = $"late {Guid.NewGuid()}";
        var unobserved = new System.Collections.Concurrent.ConcurrentBag<string>();
        EventHandler<UnobservedTaskExceptionEventArgs> note = (_, e) => unobserved.Add(e.Exception.ToString());
        TaskScheduler.UnobservedTaskException += note;
        try
        {
            await GiveUpAndFail(message, cancelled);
            for (int i = 0; i < 3; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= note;
        }

        Assert.DoesNotContain(unobserved, text => text.Contains(message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_shard_that_is_slow_but_in_time_is_waited_for()
    {
        var client = new FakeClient(_map, (_, cancel) => Task.Delay(Soon, cancel), strange: 1);

        SearchAnswer answer = await Ask(client, k: 10, Deadline.After(Never));

        Assert.True(answer.Coverage.IsFull);
        Assert.False(answer.Stats.DeadlineReached);
    }

    [Fact]
    public async Task A_call_that_ends_after_it_was_given_up_changes_nothing()
    {
        var gate = new TaskCompletionSource();
        var client = new FakeClient(_map, (_, _) => gate.Task, strange: 1);
        var coordinator = new Coordinator(_map, client);
        using var stop = new CancellationTokenSource();
        ValueTask<Outcome<SearchAnswer>> search = coordinator.SearchAsync(_query, Request(10), Deadline.OnCancel(stop.Token), _hits, default);
        await stop.CancelAsync();
        await search;
        Hit[] expected = [.. _hits];

        gate.SetResult();
        await client.Strange!;
        Assert.Equal(expected, _hits);

        Outcome<SearchAnswer> next = await coordinator.SearchAsync(_query, Request(10), Deadline.None, _hits, default);
        Assert.True(next.Value.Coverage.IsFull);
        Assert.Equal(client.All.Order().Take(10), _hits);
    }

    [Fact]
    public async Task A_caller_that_gives_up_gets_no_answer_and_its_calls_are_cancelled()
    {
        using var stop = new CancellationTokenSource();
        var client = new FakeClient(_map, (_, cancel) => Task.Delay(Never, cancel), strange: 3);

        ValueTask<Outcome<SearchAnswer>> search =
            new Coordinator(_map, client).SearchAsync(_query, Request(10), Deadline.None, _hits, stop.Token);
        Assert.False(search.IsCompleted);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await search);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.Strange!);
    }

    [Fact]
    public async Task A_call_that_was_given_up_is_cancelled()
    {
        using var stop = new CancellationTokenSource();
        var client = new FakeClient(_map, (_, cancel) => Task.Delay(Never, cancel), strange: 3);

        ValueTask<Outcome<SearchAnswer>> search =
            new Coordinator(_map, client).SearchAsync(_query, Request(10), Deadline.OnCancel(stop.Token), _hits, default);
        await stop.CancelAsync();

        Assert.Equal(3, (await search).Value.Coverage.ShardsAnswered);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.Strange!);
    }

    [Fact]
    public async Task A_refusal_ends_the_query_at_once_and_the_other_calls_are_cancelled()
    {
        var refusal = new Problem(ProblemCode.InvalidArgument, "l", "3", "at least k = 10", "Raise l.");
        var client = new FakeClient(_map, (_, cancel) => Task.Delay(Never, cancel), strange: 0) { Refusal = refusal };
        var coordinator = new Coordinator(_map, client);

        Assert.Equal(refusal, (await coordinator.SearchAsync(_query, Request(10), Deadline.None, _hits, default)).Problem);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.Strange!);
        Assert.Equal(refusal, (await coordinator.SearchAsync(_query, Request(10), Deadline.None, _hits, default)).Problem);
    }

    [Fact]
    public async Task After_the_deadline_no_shard_is_asked()
    {
        var client = new FakeClient(_map);

        SearchAnswer answer = await Ask(client, k: 10, Deadline.After(TimeSpan.FromTicks(-1)));

        Assert.Equal(0, client.Calls);
        Assert.Equal((0, new Coverage(0, 4, 0, 400)), (answer.Count, answer.Coverage));
        Assert.True(answer.Stats.DeadlineReached);
    }

    [Fact]
    public async Task A_shard_that_nobody_serves_is_not_asked()
    {
        ShardMap map = _map.WithReplicas(0, new Replica("a", ReplicaState.Unavailable, "its file is cut"));
        var client = new FakeClient(map);

        Outcome<SearchAnswer> answer = await new Coordinator(map, client).SearchAsync(_query, Request(10), Deadline.None, _hits, default);

        Assert.Equal(3, client.Calls);
        Assert.Equal(new MissingShard(map.Shards[0].Id, "a: its file is cut"), Assert.Single(answer.Value.Missing));
        Assert.False(answer.Value.Stats.DeadlineReached);
    }

    [Fact]
    public async Task Less_than_full_coverage_is_refused_where_all_is_required()
    {
        ShardMap map = _map.WithReplicas(0, new Replica("a", ReplicaState.Unavailable, "its file is cut"));
        var client = new FakeClient(map, (_, _) => throw new IOException("no connection"), strange: 3);
        SearchRequest request = Request(10) with { RequireFull = true };

        Outcome<SearchAnswer> answer = await new Coordinator(map, client).SearchAsync(_query, request, Deadline.None, _hits, default);

        Assert.Equal(ProblemCode.IncompleteCoverage, answer.Problem?.Code);
        Assert.Equal(
            "2 of 4 shards, 200 of 400 vectors (test/0: a: its file is cut; test/3: no connection)", answer.Problem!.Got);
        Assert.True((await new Coordinator(_map, new FakeClient(_map)).SearchAsync(_query, request, Deadline.None, _hits, default)).Ok);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_refusal_of_any_shard_is_the_answer(bool remote)
    {
        var refusal = new Problem(ProblemCode.InvalidArgument, "l", "3", "at least k = 10", "Raise l.");
        var client = new FakeClient(_map, remote ? Yield : null) { Refusal = refusal };

        Outcome<SearchAnswer> answer = await new Coordinator(_map, client).SearchAsync(_query, Request(10), Deadline.None, _hits, default);

        Assert.Equal(refusal, answer.Problem);
    }

    [Fact]
    public void Search_waits_for_remote_shards()
    {
        var client = new FakeClient(_map, Yield);

        Assert.True(new Coordinator(_map, client).Search(_query, Request(10), Deadline.None, _hits).Value.Coverage.IsFull);
        Assert.Equal(client.All.Order().Take(10), _hits);
    }

    [Fact]
    public async Task A_newer_map_is_used_and_an_older_one_is_not()
    {
        ShardMap next = _map.WithReplicas(2, new Replica("b", ReplicaState.Opening));
        var coordinator = new Coordinator(_map, new FakeClient(_map));

        coordinator.Use(next);
        coordinator.Use(_map);

        Assert.Same(next, coordinator.Map);
        Outcome<SearchAnswer> answer = await coordinator.SearchAsync(_query, Request(10), Deadline.None, _hits, default);
        Assert.Equal("b: Opening", Assert.Single(answer.Value.Missing).Reason);
    }

    [Fact]
    public async Task A_coordinator_follows_the_cluster_state()
    {
        var state = new EmbeddedClusterState();
        var coordinator = new Coordinator(_map, new FakeClient(_map));
        using var stop = new CancellationTokenSource();
        Task following = coordinator.FollowAsync(state, stop.Token);
        ShardMap next = _map.WithReplicas(0);

        await state.TryWriteAsync(_map, null, default);
        await state.TryWriteAsync(next, null, default);
        while (!following.IsCompleted && coordinator.Map.Version < 2)
        {
            await Task.Yield();
        }

        Assert.Same(next, coordinator.Map);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
    }

    private static SearchRequest Request(int k) => new(new SearchParameters(k, k));

    private static Task Yield(ShardId shard, CancellationToken cancel) => Task.Delay(1, cancel);

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private async Task GiveUpAndFail(string message, bool cancelled)
    {
        var gate = new TaskCompletionSource();
        using var stop = new CancellationTokenSource();
        var coordinator = new Coordinator(_map, new FakeClient(_map, (_, _) => gate.Task, strange: 1));
        Deadline deadline = cancelled ? Deadline.None : Deadline.OnCancel(stop.Token);
        Task<Outcome<SearchAnswer>> search =
            coordinator.SearchAsync(_query, Request(10), deadline, _hits, cancelled ? stop.Token : default).AsTask();
        await stop.CancelAsync();
        await search.ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.Equal(cancelled, search.IsCanceled);
        gate.SetException(new IOException(message));
        await Task.Delay(50);
        Assert.NotNull(gate.Task.Exception); // its own is the test's; that of the call is not
    }

    private async Task<SearchAnswer> Ask(FakeClient client, int k, Deadline deadline = default) =>
        (await new Coordinator(_map, client).SearchAsync(_query, Request(k), deadline, _hits, default)).OrThrow();
}
