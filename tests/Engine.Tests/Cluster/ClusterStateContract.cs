using Signpost.Engine.Cluster;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>What every <see cref="IClusterState"/> keeps. A runtime's test class derives from this one.</summary>
public abstract class ClusterStateContract
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static CancellationToken Never => CancellationToken.None;

    /// <summary>An empty state.</summary>
    protected abstract IClusterState State { get; }

    /// <summary>Lets so much time pass for leases.</summary>
    protected abstract void Pass(TimeSpan time);

    [RuntimeFact]
    public async Task There_is_no_map_before_the_first_one_is_written()
    {
        Assert.Null(await State.ReadAsync("test", Never));
        Assert.False(await State.TryWriteAsync(TestMaps.Map(1, version: 2), null, Never));
        Assert.True(await State.TryWriteAsync(TestMaps.Map(1, version: 1), null, Never));
        Assert.Equal(1, (await State.ReadAsync("test", Never))?.Version);
        Assert.Null(await State.ReadAsync("other", Never));
    }

    [RuntimeFact]
    public async Task Of_two_writers_of_one_version_the_second_is_refused()
    {
        ShardMap first = TestMaps.Map(2);
        await State.TryWriteAsync(first, null, Never);

        Assert.True(await State.TryWriteAsync(first.WithReplicas(0, new Replica("a", ReplicaState.Serving)), null, Never));
        Assert.False(await State.TryWriteAsync(first.WithReplicas(0, new Replica("b", ReplicaState.Serving)), null, Never));
        Assert.False(await State.TryWriteAsync(first, null, Never));

        ShardMap? map = await State.ReadAsync("test", Never);
        Assert.Equal((2, "a"), (map!.Version, map.Shards[0].Replicas[0].Silo));
    }

    [RuntimeFact]
    public async Task Many_writers_lose_no_write()
    {
        await State.TryWriteAsync(TestMaps.Map(1), null, Never);

        async Task Write(string silo)
        {
            for (int done = 0; done < 20;)
            {
                ShardMap? map = await State.ReadAsync("test", Never);
                ShardMap next = map!.WithReplicas(0, [.. map.Shards[0].Replicas, new Replica(silo, ReplicaState.Serving)]);
                done += await State.TryWriteAsync(next, null, Never) ? 1 : 0;
            }
        }

        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => Write($"silo {i}"))));

        ShardMap? end = await State.ReadAsync("test", Never);
        Assert.Equal(81, end!.Version);
        Assert.All(Enumerable.Range(0, 4), i => Assert.Equal(20, end.Shards[0].Replicas.Count(r => r.Silo == $"silo {i}")));
    }

    [RuntimeFact]
    public async Task A_watcher_gets_the_present_map_and_then_newer_ones_up_to_the_newest()
    {
        ShardMap map = TestMaps.Map(1);
        await State.TryWriteAsync(map, null, Never);
        await using IAsyncEnumerator<ShardMap> watch = State.WatchAsync("test", Never).GetAsyncEnumerator(Never);

        Assert.True(await watch.MoveNextAsync());
        Assert.Equal(1, watch.Current.Version);

        ValueTask<bool> next = watch.MoveNextAsync();
        Assert.False(next.IsCompleted);
        for (int i = 0; i < 5; i++)
        {
            map = map.WithReplicas(0, new Replica($"silo {i}", ReplicaState.Serving));
            await State.TryWriteAsync(map, null, Never);
        }

        long last = 1;
        for (; last < 6; next = watch.MoveNextAsync())
        {
            Assert.True(await next);
            Assert.InRange(watch.Current.Version, last + 1, 6);
            last = watch.Current.Version;
            if (last == 6)
            {
                break;
            }
        }

        Assert.Equal("silo 4", watch.Current.Shards[0].Replicas[0].Silo);
    }

    [RuntimeFact]
    public async Task A_watcher_hears_of_its_own_collection_only_and_ends_when_cancelled()
    {
        using var stop = new CancellationTokenSource();
        await using IAsyncEnumerator<ShardMap> watch = State.WatchAsync("test", stop.Token).GetAsyncEnumerator(Never);
        ValueTask<bool> next = watch.MoveNextAsync();

        await State.TryWriteAsync(TestMaps.Map(1, collection: "other"), null, Never);
        Assert.False(next.IsCompleted);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
    }

    [RuntimeFact]
    public async Task One_lease_of_a_role_at_a_time()
    {
        Lease? first = await State.TryAcquireAsync("lead", "a", Minute, Never);

        Assert.NotNull(first);
        Assert.Null(await State.TryAcquireAsync("lead", "b", Minute, Never));
        Assert.Null(await State.TryAcquireAsync("lead", "a", Minute, Never));
        Assert.NotNull(await State.TryAcquireAsync("another", "b", Minute, Never));
    }

    [RuntimeFact]
    public async Task Epochs_rise_with_every_grant_however_the_last_one_ended()
    {
        Lease? first = await State.TryAcquireAsync("lead", "a", Minute, Never);
        await State.ReleaseAsync(first!, Never);
        Lease? second = await State.TryAcquireAsync("lead", "b", Minute, Never);
        Pass(Minute * 1.1);
        Lease? third = await State.TryAcquireAsync("lead", "a", Minute, Never);

        Assert.True(first!.Epoch >= 1);
        Assert.True(second!.Epoch > first.Epoch);
        Assert.True(third!.Epoch > second.Epoch);
        Assert.Equal(("lead", "a"), (third.Role, third.Holder));
    }

    [RuntimeFact]
    public async Task A_renewed_lease_keeps_its_epoch_and_lives_on()
    {
        Lease? lease = await State.TryAcquireAsync("lead", "a", Minute, Never);
        for (int i = 0; i < 5; i++)
        {
            Pass(Minute * 0.7);
            Assert.True(await State.TryRenewAsync(lease!, Minute, Never));
        }

        Assert.Null(await State.TryAcquireAsync("lead", "b", Minute, Never));
    }

    [RuntimeFact]
    public async Task A_lease_that_has_ended_cannot_be_renewed_and_its_release_ends_no_other()
    {
        Lease? old = await State.TryAcquireAsync("lead", "a", Minute, Never);
        Pass(Minute * 1.1);

        Assert.False(await State.TryRenewAsync(old!, Minute, Never));
        Lease? present = await State.TryAcquireAsync("lead", "b", Minute, Never);
        Assert.False(await State.TryRenewAsync(old!, Minute, Never));
        await State.ReleaseAsync(old!, Never);

        Assert.True(await State.TryRenewAsync(present!, Minute, Never));
    }

    [RuntimeFact]
    public async Task A_map_that_is_written_under_a_lease_is_refused_when_the_lease_has_ended()
    {
        ShardMap map = TestMaps.Map(1);
        Lease? old = await State.TryAcquireAsync("placement", "a", Minute, Never);
        Assert.True(await State.TryWriteAsync(map, old, Never));
        Pass(Minute * 1.1);
        Assert.False(await State.TryWriteAsync(map.WithReplicas(0), old, Never));
        Lease? present = await State.TryAcquireAsync("placement", "b", Minute, Never);
        Assert.False(await State.TryWriteAsync(map.WithReplicas(0), old, Never));
        Assert.Equal(1, (await State.ReadAsync("test", Never))?.Version);

        Assert.True(await State.TryWriteAsync(map.WithReplicas(0), present, Never));
        await State.ReleaseAsync(present!, Never);
        Assert.False(await State.TryWriteAsync(map.WithReplicas(0).WithReplicas(0), present, Never));
    }

    [RuntimeFact]
    public async Task Valid_leases_of_a_prefix_are_listed_with_their_notes()
    {
        Lease? a = await State.TryAcquireAsync("silo/a", "a", Minute, Never);
        Lease? c = await State.TryAcquireAsync("silo/c", "c", Minute * 3, Never);
        Lease? b = await State.TryAcquireAsync("silo/b", "b", Minute * 3, Never);
        await State.TryAcquireAsync("placement", "a", Minute, Never);

        Assert.True(await State.TryNoteAsync(a!, "first", Never));
        Assert.True(await State.TryNoteAsync(c!, "one", Never));
        Assert.True(await State.TryNoteAsync(c!, "two", Never));
        Assert.Equal([new NotedLease(a!, "first"), new NotedLease(b!, null), new NotedLease(c!, "two")], await State.LeasesAsync("silo/", Never));

        Pass(Minute * 1.1);
        Assert.False(await State.TryNoteAsync(a!, "late", Never));
        Assert.True(await State.TryRenewAsync(c!, Minute, Never));
        await State.ReleaseAsync(b!, Never);
        Assert.Equal([new NotedLease(c!, "two")], await State.LeasesAsync("silo/", Never));

        Lease? again = await State.TryAcquireAsync("silo/a", "a", Minute, Never);
        Assert.Equal([new NotedLease(again!, null), new NotedLease(c!, "two")], await State.LeasesAsync("silo/", Never));
    }

    [RuntimeFact]
    public async Task Collections_with_a_map_are_listed_in_order()
    {
        Assert.Empty(await State.CollectionsAsync(Never));
        await State.TryWriteAsync(TestMaps.Map(1, collection: "b"), null, Never);
        await State.TryWriteAsync(TestMaps.Map(1, collection: "a"), null, Never);
        await State.TryWriteAsync(TestMaps.Map(1, collection: "b").WithReplicas(0), null, Never);
        Assert.Equal(["a", "b"], await State.CollectionsAsync(Never));
    }
}
