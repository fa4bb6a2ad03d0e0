using System.Collections.Concurrent;
using Signpost.Engine.Cluster;
using Signpost.Engine.Tests.Cluster;
using Signpost.Silo.Redis;

namespace Signpost.Cluster.Tests.Contract;

/// <summary>Leases and writes of several silos at once, each with connections of its own.</summary>
public sealed class RedisLeaseTests(RedisFixture redis) : IClassFixture<RedisFixture>, IDisposable
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Silos _silos = Silos.WithManualClock(redis.Server);

    private static CancellationToken Never => CancellationToken.None;

    public void Dispose() => _silos.Dispose();

    [RedisFact]
    public async Task Many_writers_on_several_connections_lose_no_write()
    {
        RedisClusterState first = _silos.Add();
        await first.TryWriteAsync(TestMaps.Map(1), null, Never);

        async Task Write(RedisClusterState state, string silo)
        {
            for (int done = 0; done < 25;)
            {
                ShardMap? map = await state.ReadAsync("test", Never);
                ShardMap next = map!.WithReplicas(0, [.. map.Shards[0].Replicas, new Replica(silo, ReplicaState.Serving)]);
                done += await state.TryWriteAsync(next, null, Never) ? 1 : 0;
            }
        }

        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Write(_silos.Add(), $"silo {i}")));

        ShardMap? end = await first.ReadAsync("test", Never);
        Assert.Equal(101, end!.Version);
        Assert.All(Enumerable.Range(0, 4), i => Assert.Equal(25, end.Shards[0].Replicas.Count(r => r.Silo == $"silo {i}")));
    }

    [RedisFact]
    public async Task Silos_that_compete_for_one_role_never_act_in_one_epoch_nor_after_a_later_one()
    {
        using var silos = Silos.Of(redis.Server);
        await silos.Add().TryWriteAsync(TestMaps.Map(1), null, Never);
        var written = new ConcurrentDictionary<long, Lease>(); // version of the map -> lease under which it was written

        async Task Lead(RedisClusterState state, string silo, int seed)
        {
            var random = new Random(seed);
            while (written.Count < 150)
            {
                Lease? lease = await state.TryAcquireAsync("placement", silo, TimeSpan.FromMilliseconds(1 + random.Next(20)), Never);
                while (lease is not null)
                {
                    ShardMap? map = await state.ReadAsync("test", Never);
                    await Task.Delay(random.Next(8)); // the lease may end between looking and acting
                    if (!await state.TryWriteAsync(map!.WithReplicas(0, new Replica(silo, ReplicaState.Serving, null, lease.Epoch)), lease, Never))
                    {
                        break;
                    }

                    Assert.True(written.TryAdd(map.Version + 1, lease));
                }
            }
        }

        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Lead(silos.Add(), $"silo {i}", i))).WaitAsync(TimeSpan.FromMinutes(2));

        Lease[] history = [.. written.OrderBy(entry => entry.Key).Select(entry => entry.Value)];
        Assert.Equal(Enumerable.Range(2, history.Length).Select(version => (long)version), written.Keys.Order());
        Assert.Equal(history.OrderBy(lease => lease.Epoch), history);
        Assert.All(history.GroupBy(lease => lease.Epoch), of => Assert.Single(of.Select(lease => lease.Holder).Distinct()));
        Assert.True(history.DistinctBy(lease => lease.Holder).Count() > 1, "nobody else ever led");
    }

    [RedisFact]
    public async Task Any_sequence_of_calls_ends_as_in_the_model()
    {
        for (int seed = 0; seed < 15; seed++)
        {
            using var silos = Silos.WithManualClock(redis.Server);
            await new LeaseModel(new Random(seed), silos, $"seed {seed}").RunAsync(steps: 100);
        }
    }

    [RedisFact]
    public async Task The_clock_of_Redis_counts_and_no_other()
    {
        RedisClusterState state = _silos.Add();
        Lease? lease = await state.TryAcquireAsync("lead", "a", Minute, Never);
        _silos.Pass(Minute * 2);
        Assert.False(await state.TryRenewAsync(lease!, Minute, Never));

        Lease? next = await state.TryAcquireAsync("lead", "a", Minute, Never);
        _silos.Pass(-Minute * 60);
        Assert.False(await state.TryRenewAsync(next!, Minute, Never)); // set back: how long it was is not known
        Assert.Empty(await state.LeasesAsync("", Never));

        Lease? last = await state.TryAcquireAsync("lead", "b", Minute, Never);
        Assert.True(next!.Epoch > lease!.Epoch);
        Assert.True(last!.Epoch > next.Epoch);
        Assert.True(await state.TryRenewAsync(last, Minute, Never));
        _silos.Pass(Minute * 60);
        Assert.Empty(await state.LeasesAsync("", Never)); // what has ended does not come back
    }

    [RedisFact]
    public async Task A_clock_that_is_set_right_by_a_little_ends_no_lease()
    {
        RedisClusterState state = _silos.Add();
        Lease? lease = await state.TryAcquireAsync("lead", "a", Minute, Never);
        _silos.Pass(TimeSpan.FromSeconds(-0.5));

        Assert.Null(await state.TryAcquireAsync("lead", "b", Minute, Never));
        Assert.True(await state.TryRenewAsync(lease!, Minute, Never));
    }

    [RedisFact]
    public async Task Clusters_of_different_names_share_a_Redis_without_meeting()
    {
        using var others = Silos.Of(redis.Server);
        RedisClusterState one = _silos.Add();
        RedisClusterState other = others.Add();

        Assert.NotNull(await one.TryAcquireAsync("lead", "a", Minute, Never));
        Assert.NotNull(await other.TryAcquireAsync("lead", "b", Minute, Never));
        await one.TryWriteAsync(TestMaps.Map(1), null, Never);

        Assert.Null(await other.ReadAsync("test", Never));
        Assert.Equal("b", Assert.Single(await other.LeasesAsync("", Never)).Lease.Holder);
        Assert.NotEqual(await one.IdentityAsync(Never), await other.IdentityAsync(Never));
        Assert.Equal(await one.IdentityAsync(Never), await _silos.Add().IdentityAsync(Never));
    }

    [RedisFact]
    public async Task Nobody_renews_the_lease_of_another()
    {
        RedisClusterState state = _silos.Add();
        Lease? lease = await state.TryAcquireAsync("lead", "a", Minute, Never);

        Assert.False(await state.TryRenewAsync(lease! with { Holder = "b" }, Minute, Never));
        Assert.False(await state.TryRenewAsync(lease with { Epoch = lease.Epoch + 1 }, Minute, Never));
        Assert.False(await state.TryRenewAsync(lease with { Role = "other" }, Minute, Never));
        Assert.True(await state.TryRenewAsync(lease, Minute, Never));
    }

    [RedisFact]
    public async Task Texts_of_any_kind_come_back_as_they_were()
    {
        RedisClusterState state = _silos.Add();
        string note = "{\"a\": \"ü 本\"}\n\r\n\0$5 " + new string('x', 100_000);
        Lease? lease = await state.TryAcquireAsync("silo/ü\n1 2 3", "the holder\r\n 7 8 本", Minute, Never);

        Assert.True(await state.TryNoteAsync(lease!, note, Never));
        Assert.Equal([new NotedLease(lease!, note)], await state.LeasesAsync("silo/ü", Never));
        Assert.Empty(await state.LeasesAsync("silo/%", Never));
    }

    [RedisFact]
    public async Task Leases_that_ended_leave_nothing_in_Redis_but_their_epoch()
    {
        RedisClusterState state = _silos.Add();
        for (int i = 0; i < 250; i++)
        {
            Lease? lease = await state.TryAcquireAsync($"silo/{i}", "a", Minute, Never);
            await state.TryNoteAsync(lease!, "note", Never);
        }

        _silos.Pass(Minute * 2);
        for (int i = 0; i < 3; i++)
        {
            await state.TryAcquireAsync("lead", "a", Minute, Never);
        }

        Assert.Equal(1, redis.Server.Call("HLEN", _silos.Key("leases")).Number);
        Assert.Equal(1, redis.Server.Call("ZCARD", _silos.Key("ends")).Number);
        Assert.Equal(0, redis.Server.Call("HLEN", _silos.Key("notes")).Number);
    }
}
