using Signpost.Engine.Cluster;
using Signpost.Engine.Tests.Cluster;
using Signpost.Silo.Redis;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>Redis, or the way to it, is gone, silent or slow for a while. Calls end with an exception; afterwards all goes on by itself.</summary>
public sealed class RedisFaultTests : IDisposable
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly Lazy<RedisServer> _server = new(() => new RedisServer());
    private readonly Disposables _disposables = new();

    private static CancellationToken Never => CancellationToken.None;

    private RedisServer Server => _server.Value;

    public void Dispose()
    {
        _disposables.Dispose();
        if (_server.IsValueCreated)
        {
            Server.Dispose();
        }
    }

    [RedisFact]
    public async Task Every_call_ends_with_an_exception_while_Redis_is_gone()
    {
        RedisClusterState state = Silo(out _);
        Lease? lease = await state.TryAcquireAsync("lead", "a", Hour, Never);
        Server.Kill();

        await AllCallsFailAsync(state, lease!);

        Server.Start();
        Assert.NotNull(await Wait.UntilAnswered(() => state.TryAcquireAsync("lead", "a", Hour, Never)));
    }

    [RedisFact]
    public async Task A_frozen_Redis_fails_calls_until_it_goes_on_and_a_lease_that_has_ended_meanwhile_stays_ended()
    {
        RedisClusterState state = Silo(out Silos silos);
        RedisClusterState impatient = silos.Add(Server.Impatient);
        await using var watcher = new Watcher(impatient);
        await state.TryWriteAsync(Map("a"), null, Never);
        Lease? ends = await state.TryAcquireAsync("ends", "a", TimeSpan.FromMilliseconds(400), Never);
        Lease? stays = await state.TryAcquireAsync("stays", "a", Hour, Never);
        Server.Freeze();

        await AllCallsFailAsync(impatient, stays!); // longer than the first lease: each call waits for its own time limit

        Server.Thaw();
        Assert.True(await Wait.UntilAnswered(() => impatient.TryRenewAsync(stays!, Hour, Never)));
        Assert.False(await state.TryRenewAsync(ends!, Hour, Never));
        ShardMap? map = await state.ReadAsync("test", Never); // the write that nobody answered may have been made after all
        Assert.True(await state.TryWriteAsync(Map("b", map!.Version + 1), null, Never));
        await watcher.Until(seen => seen.Version == map.Version + 1);
    }

    [RedisFact]
    public async Task A_way_that_is_cut_is_found_again()
    {
        TcpProxy proxy = _disposables.Add(new TcpProxy(Server.Port));
        RedisClusterState far = Silo(out Silos silos, Server.Options with { Port = proxy.Port });
        RedisClusterState near = silos.Add();
        await using var watcher = new Watcher(far);
        for (int round = 0; round < 3; round++)
        {
            await near.TryWriteAsync(Map($"before {round}", (2 * round) + 1), null, Never);
            await watcher.Until(map => map.Version == (2 * round) + 1);
            proxy.Cut();
            await Assert.ThrowsAsync<RedisException>(() => far.ReadAsync("test", Never).Long());
            await near.TryWriteAsync(Map($"after {round}", (2 * round) + 2), null, Never);
            proxy.Mend();
            await watcher.Until(map => map.Version == (2 * round) + 2);
        }
    }

    [RedisFact]
    public async Task A_way_that_is_silent_fails_calls_in_time_and_is_found_again()
    {
        TcpProxy proxy = _disposables.Add(new TcpProxy(Server.Port));
        RedisClusterState far = Silo(out Silos silos, Server.Impatient with { Port = proxy.Port });
        RedisClusterState near = silos.Add();
        await using var watcher = new Watcher(far);
        await near.TryWriteAsync(Map("a"), null, Never);
        await watcher.Until(map => map.Version == 1);
        Lease? lease = await near.TryAcquireAsync("lead", "a", Hour, Never);

        proxy.Silence();
        await AllCallsFailAsync(far, lease!);
        await near.TryWriteAsync(Map("b", 2), null, Never);
        proxy.Mend();

        await watcher.Until(map => map.Version >= 2);
        Assert.True(await Wait.UntilAnswered(() => far.TryRenewAsync(lease!, Hour, Never)));
    }

    [RedisFact]
    public async Task When_a_replica_takes_over_under_the_same_name_the_newest_map_goes_with_it()
    {
        TcpProxy name = _disposables.Add(new TcpProxy(Server.Port));
        using var replica = new RedisServer();
        RedisClusterState state = Silo(out _, Server.Options with { Port = name.Port });
        await using var watcher = new Watcher(state);
        await state.TryWriteAsync(Map("a"), null, Never);
        await state.TryWriteAsync(Map("b", 2), null, Never);
        Lease? lease = await state.TryAcquireAsync("lead", "a", Hour, Never);

        name.Target = replica.Port; // it has received nothing yet
        Server.Call("REPLICAOF", "127.0.0.1", "1");

        Assert.False(await Wait.UntilAnswered(() => state.TryRenewAsync(lease!, Hour, Never)));
        await watcher.Until(map => map.Version == 2 + MapMark.Jump);
        Assert.Equal("b", (await state.ReadAsync("test", Never))!.Shards[0].Replicas[0].Silo);
        Assert.NotEqual(0, replica.Call("DBSIZE").Number);
    }

    [RedisFact]
    public async Task A_slow_way_is_only_slow()
    {
        TcpProxy proxy = _disposables.Add(new TcpProxy(Server.Port));
        proxy.Delay(30);
        RedisClusterState far = Silo(out Silos silos, Server.Options with { Port = proxy.Port });
        await using var watcher = new Watcher(far);

        Lease?[] leases = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => far.TryAcquireAsync($"silo/{i}", "a", Hour, Never).Long()));
        await silos.Add().TryWriteAsync(Map("a"), null, Never);

        Assert.All(leases, Assert.NotNull);
        await watcher.Until(map => map.Version == 1);
    }

    [RedisFact]
    public async Task A_message_that_was_lost_delays_a_watcher_but_no_more()
    {
        RedisClusterState state = Silo(out Silos silos);
        await using var watcher = new Watcher(state);
        await silos.Add().TryWriteAsync(Map("a"), null, Never);
        await watcher.Until(map => map.Version == 1);

        foreach (string client in Server.Call("CLIENT", "LIST").Text!.Split('\n').Where(line => line.Contains(" sub=1 ", StringComparison.Ordinal)))
        {
            string id = client.Split(' ')[0].Split('=')[1];
            Server.Call("CLIENT", "KILL", "ID", id); // nobody subscribes for a moment
        }

        await silos.Add().TryWriteAsync(Map("b", 2), null, Never);
        await watcher.Until(map => map.Version == 2);
    }

    [RedisFact]
    public async Task A_subscription_that_has_died_without_a_sign_is_made_anew()
    {
        TcpProxy proxy = _disposables.Add(new TcpProxy(Server.Port));
        RedisClusterState far = Silo(out Silos silos, Server.Impatient with { Port = proxy.Port });
        ValueTask<long> Subscriptions() => new(Server.Call("PUBSUB", "NUMSUB", silos.Key("changed")).Items![1].Number);
        await Wait.Until(Subscriptions, count => count == 1);

        proxy.Forsake();

        await Wait.Until(Subscriptions, count => count == 2); // Redis does not know that the first one is dead either
        Assert.Null(await Wait.UntilAnswered(() => far.ReadAsync("test", Never)));
    }

    [RedisFact]
    public void A_restart_between_two_calls_fails_neither()
    {
        using var link = new RedisLink(Server.Options) { Deadline = Deadline.After(TimeSpan.FromMinutes(1)) };
        link.Call("PING");
        Server.Restart();
        link.Call("PING");
    }

    [RedisFact]
    public async Task A_watcher_that_begins_before_Redis_is_there_gets_the_map_when_it_is()
    {
        RedisClusterState writer = Silo(out Silos silos);
        Server.Kill();
        await using var watcher = new Watcher(silos.Add());
        Server.Start();
        Assert.True(await Wait.UntilAnswered(() => writer.TryWriteAsync(Map("a"), null, Never)));
        await watcher.Until(map => map.Version == 1);
    }

    [RedisFact]
    public async Task A_caller_who_cancels_does_not_wait_for_a_silent_Redis()
    {
        RedisClusterState state = Silo(out _);
        Server.Freeze();
        using var stop = new CancellationTokenSource();
        Task<ShardMap?> read = state.ReadAsync("test", stop.Token).AsTask();
        Task<Lease?> acquire = state.TryAcquireAsync("lead", "a", Hour, stop.Token).AsTask();
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => acquire);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await state.ReadAsync("test", stop.Token));
        Server.Thaw();
        Assert.NotNull(await state.TryAcquireAsync("lead", "b", Hour, Never)); // the cancelled call was not made after all
    }

    [RedisFact]
    public async Task A_map_that_is_damaged_in_Redis_is_refused_and_the_others_are_not()
    {
        RedisClusterState state = Silo(out Silos silos);
        await state.TryWriteAsync(Map("a"), null, Never);
        await state.TryWriteAsync(TestMaps.Map(1, collection: "other"), null, Never);
        Server.Call("HSET", silos.Key("maps"), "test", "no map");
        RedisClusterState fresh = silos.Add();

        var bad = await Assert.ThrowsAsync<Engine.Base.BadFileException>(() => fresh.ReadAsync("test", Never).Long());
        Assert.Contains("shard map of test", bad.Path, StringComparison.Ordinal);
        Assert.NotNull(await fresh.ReadAsync("other", Never));
        Assert.Equal(["other"], await fresh.CollectionsAsync(Never));
        Assert.Equal(1, (await state.ReadAsync("test", Never))!.Version); // it knows that map
    }

    [RedisFact]
    public async Task After_its_end_a_state_says_so()
    {
        RedisClusterState state = Silo(out _);
        state.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await state.ReadAsync("test", Never));
    }

    private static async Task AllCallsFailAsync(RedisClusterState state, Lease lease)
    {
        await Fails(() => state.ReadAsync("test", Never).Long());
        await Fails(() => state.TryWriteAsync(Map("lost", 2), null, Never).Long());
        await Fails(() => state.CollectionsAsync(Never).Long());
        await Fails(() => state.TryAcquireAsync("other", "a", TimeSpan.FromMilliseconds(1), Never).Long());
        await Fails(() => state.TryRenewAsync(lease, Hour, Never).Long());
        await Fails(() => state.TryNoteAsync(lease, "lost", Never).Long());
        await Fails(() => state.LeasesAsync("", Never).Long());
        await Fails(() => state.IdentityAsync(Never).Long());
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Fails(() => state.ReadAsync("test", Never).Long())));
    }

    private static async Task Fails<T>(Func<Task<T>> call) => Assert.IsAssignableFrom<IOException>(await Assert.ThrowsAsync<RedisException>(call));

    private static ShardMap Map(string silo, long version = 1) =>
        TestMaps.Map(1, version).WithReplicas(0, new Replica(silo, ReplicaState.Serving)).AtVersion(version);

    private RedisClusterState Silo(out Silos silos, RedisOptions? options = null)
    {
        silos = _disposables.Add(Silos.Of(Server));
        return silos.Add(options ?? Server.Options);
    }
}
