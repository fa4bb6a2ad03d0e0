using Signpost.Engine.Cluster;
using Signpost.Engine.Tests.Cluster;
using Signpost.Silo.Redis;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>Redis is killed and comes back with all, some or none of what it had.</summary>
public sealed class RedisRestartTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private static CancellationToken Never => CancellationToken.None;

    [RedisFact]
    public async Task With_its_data_everything_goes_on()
    {
        using var server = RedisServer.Durable();
        using var silos = Silos.Of(server);
        RedisClusterState state = silos.Add();
        await using var watcher = new Watcher(silos.Add());
        await state.TryWriteAsync(Map("a"), null, Never);
        Lease? lease = await state.TryAcquireAsync("lead", "a", Hour, Never);
        await state.TryNoteAsync(lease!, "note", Never);

        server.Restart();

        Assert.Equal(1, (await Wait.UntilAnswered(() => state.ReadAsync("test", Never)))!.Version);
        Assert.True(await state.TryRenewAsync(lease!, Hour, Never));
        Assert.Equal([new NotedLease(lease!, "note")], await state.LeasesAsync("", Never));
        Assert.True(await state.TryWriteAsync(Map("b", 2), lease, Never));
        await watcher.Until(map => Silo(map) == "b");
    }

    [RedisFact]
    public async Task Without_its_data_maps_are_restored_under_versions_above_all_and_leases_have_ended()
    {
        using var server = new RedisServer();
        using var silos = Silos.Of(server);
        RedisClusterState state = silos.Add();
        await using var watcher = new Watcher(silos.Add());
        Lease? lease = await state.TryAcquireAsync("lead", "a", Hour, Never);
        await state.TryWriteAsync(Map("a"), lease, Never);
        await state.TryWriteAsync(Map("b", 2), lease, Never);
        await watcher.Until(map => map.Version == 2);

        server.Restart(withoutData: true);

        Assert.False(await Wait.UntilAnswered(() => state.TryRenewAsync(lease!, Hour, Never)));
        Assert.False(await state.TryWriteAsync(Map("late", 3), lease, Never));
        Assert.Empty(await state.LeasesAsync("", Never));
        ShardMap? restored = await state.ReadAsync("test", Never);
        Assert.Equal((2 + MapMark.Jump, "b"), (restored!.Version, Silo(restored)));
        Assert.Equal(["test"], await silos.Add().CollectionsAsync(Never));

        Lease? next = await silos.Add().TryAcquireAsync("lead", "b", Hour, Never); // this silo has never seen the first epoch
        Assert.True(next!.Epoch > lease!.Epoch);
        Assert.True(await state.TryWriteAsync(restored.WithReplicas(0, new Replica("c", ReplicaState.Serving)), next, Never));
        await watcher.Until(map => Silo(map) == "c" && map.Version == 3 + MapMark.Jump);
    }

    [RedisFact]
    public async Task A_silo_that_asks_for_nothing_restores_what_it_has_seen()
    {
        using var server = new RedisServer();
        using var silos = Silos.Of(server);
        await using var watcher = new Watcher(silos.Add());
        await silos.Add().TryWriteAsync(Map("a"), null, Never);
        await watcher.Until(map => map.Version == 1);

        server.Restart(withoutData: true);

        await Wait.Until(
            () => new ValueTask<string?>(server.Call("HGET", silos.Key("versions"), "test").Text),
            mark => mark?.StartsWith($"{1 + MapMark.Jump} 1 ", StringComparison.Ordinal) == true);
    }

    [RedisFact]
    public async Task With_older_data_nobody_goes_back_to_an_older_map_and_a_ghost_does_not_lead()
    {
        using var server = new RedisServer();
        using var silos = Silos.Of(server);
        RedisClusterState state = silos.Add();
        await using var watcher = new Watcher(silos.Add());
        await state.TryWriteAsync(Map("old"), null, Never);
        Lease? ghost = await state.TryAcquireAsync("lead", "ghost", Hour, Never);
        await state.TryNoteAsync(ghost!, "of the ghost", Never);
        server.Save();
        await state.ReleaseAsync(ghost!, Never);
        Lease? lease = await state.TryAcquireAsync("lead", "a", Hour, Never);
        Assert.True(await state.TryWriteAsync(Map("new", 2), lease, Never));
        await watcher.Until(map => map.Version == 2);

        server.Restart();

        ShardMap? restored = await Wait.UntilAnswered(() => state.ReadAsync("test", Never));
        Assert.Equal((2 + MapMark.Jump, "new"), (restored!.Version, Silo(restored)));
        Assert.Equal(restored.Version, (await silos.Add().ReadAsync("test", Never))!.Version);
        await watcher.Until(map => map.Version == restored.Version);

        Assert.False(await state.TryRenewAsync(lease!, Hour, Never));
        Assert.Empty(await state.LeasesAsync("", Never));
        Assert.False(await state.TryRenewAsync(ghost!, Hour, Never));
        Assert.False(await state.TryWriteAsync(restored.WithReplicas(0), ghost, Never));
        Lease? next = await state.TryAcquireAsync("lead", "b", Hour, Never);
        Assert.True(next!.Epoch > lease!.Epoch);
        Assert.Equal([new NotedLease(next, null)], await state.LeasesAsync("", Never));
    }

    [RedisFact]
    public async Task Silos_that_remember_different_maps_come_to_agree_on_the_latest_content()
    {
        using var server = new RedisServer();
        using var silos = Silos.Of(server);
        using var proxies = new Disposables();
        var states = new List<RedisClusterState>();
        for (int i = 0; i < 5; i++)
        {
            TcpProxy proxy = proxies.Add(new TcpProxy(server.Port));
            RedisClusterState state = silos.Add(server.Options with { Port = proxy.Port });
            states.Add(state);
            if (i > 0)
            {
                Assert.Equal(i, (await state.ReadAsync("test", Never))!.Version);
            }

            Assert.True(await state.TryWriteAsync(Map($"silo {i}", i + 1), null, Never));
            proxy.Cut(); // each knows one map more than the one before it
        }

        server.Restart(withoutData: true);
        foreach (TcpProxy proxy in proxies.All.Cast<TcpProxy>())
        {
            proxy.Mend();
        }

        foreach (RedisClusterState state in states)
        {
            await Wait.Until(() => state.ReadAsync("test", Never), map => Silo(map!) == "silo 4");
        }

        long[] versions = [.. (await Task.WhenAll(states.Select(state => state.ReadAsync("test", Never).Long()))).Select(map => map!.Version)];
        Assert.Single(versions.Distinct());
        Assert.InRange(versions[0], 5 + MapMark.Jump, long.MaxValue);
    }

    [RedisFact]
    public async Task A_first_map_that_a_new_silo_writes_into_an_empty_Redis_gives_way_to_the_map_that_others_remember()
    {
        using var server = new RedisServer();
        using var silos = Silos.Of(server);
        using var proxy = new TcpProxy(server.Port);
        RedisClusterState state = silos.Add(server.Options with { Port = proxy.Port });
        await state.TryWriteAsync(Map("a"), null, Never);
        await state.TryWriteAsync(Map("b", 2), null, Never);
        proxy.Cut();
        server.Restart(withoutData: true);
        await using var watcher = new Watcher(silos.Add());
        Assert.True(await silos.Add().TryWriteAsync(Map("new"), null, Never));
        await watcher.Until(map => Silo(map) == "new");

        proxy.Mend();

        await watcher.Until(map => Silo(map) == "b" && map.Version == 2 + MapMark.Jump);
    }

    [RedisFact]
    public async Task A_version_that_was_written_again_after_a_loss_is_seen_by_those_who_know_the_first_one()
    {
        using var server = new RedisServer();
        using var silos = Silos.Of(server);
        using var wayOfOne = new TcpProxy(server.Port);
        using var wayOfOther = new TcpProxy(server.Port);
        RedisClusterState one = silos.Add(server.Options with { Port = wayOfOne.Port });
        RedisClusterState other = silos.Add(server.Options with { Port = wayOfOther.Port });
        await one.TryWriteAsync(Map("a"), null, Never);
        await other.ReadAsync("test", Never);
        server.Save();
        wayOfOther.Cut();
        Assert.True(await one.TryWriteAsync(Map("first", 2), null, Never));
        wayOfOne.Cut();
        server.Restart();
        wayOfOther.Mend();
        Assert.True(await Wait.UntilAnswered(() => other.TryWriteAsync(Map("second", 2), null, Never)));
        await using var watcher = new Watcher(one);
        wayOfOne.Mend();

        ShardMap? end = await Wait.Until(() => one.ReadAsync("test", Never), map => Silo(map!) == "second");
        Assert.Equal(2 + MapMark.Jump, end!.Version);
        await watcher.Until(map => map.Version == end.Version);
        Assert.Equal(end.Version, (await other.ReadAsync("test", Never))!.Version);
    }

    private static ShardMap Map(string silo, long version = 1) =>
        TestMaps.Map(1, version).WithReplicas(0, new Replica(silo, ReplicaState.Serving)).AtVersion(version);

    private static string Silo(ShardMap map) => map.Shards[0].Replicas[0].Silo;
}
