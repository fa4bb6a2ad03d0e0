using Orleans.Runtime;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Tests.Shards;
using Signpost.Engine.Vectors;
using Signpost.Grains.Orleans;
using Signpost.Grains.Wire;
using Signpost.Silo.Orleans;

namespace Signpost.Cluster.Tests.Orleans;

/// <summary>A copy of a shard is where the shard map has it.</summary>
public sealed class SiloPlacementTests : ShardTest, IClassFixture<OrleansFixture>
{
    private readonly OrleansFixture _orleans;
    private readonly VectorBlock _vectors = Bytes(100);

    public SiloPlacementTests(OrleansFixture orleans)
    {
        _orleans = orleans;
        Build(_vectors, Options(shards: 2));
        _orleans.Served = Open();
        ShardMap map = EmbeddedCluster.MapOf(_orleans.Served);
        _orleans.Map = map.WithReplicas(0, new Replica("b", ReplicaState.Serving, null, _orleans.B.Id.Epoch)).WithReplicas(1, new Replica("gone", ReplicaState.Serving));
    }

    public override void Dispose()
    {
        _orleans.Map = null;
        _orleans.Served!.Dispose();
        _vectors.Dispose();
        base.Dispose();
    }

    [Fact]
    public async Task A_copy_is_asked_in_the_silo_that_its_key_names()
    {
        using VectorBlock sample = await _orleans.Client.SampleAsync(new ReplicaId(new ShardId("test", 0), _orleans.B.Id), 5, 1, default);

        Assert.Equal(5, sample.Count);
    }

    [Theory]
    [InlineData(1, "b", "the shard map has no such copy")]
    [InlineData(7, "b", "the shard map has no such copy")]
    [InlineData(1, "gone", "no silo of that name that is alive")]
    public async Task A_copy_that_is_nowhere_is_a_failure_that_says_so(int shard, string silo, string reason)
    {
        var nowhere = new ReplicaId(new ShardId("test", shard), new SiloId(silo, _orleans.B.Id.Epoch));

        IOException failure = await Assert.ThrowsAsync<IOException>(() => _orleans.Client.SampleAsync(nowhere, 1, 1, default).AsTask());

        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_arrives_in_words()
    {
        var late = new ReplicaId(new ShardId("test", 0), _orleans.B.Id with { Epoch = 77 });

        IOException failure = await Assert.ThrowsAsync<IOException>(() => _orleans.Client.SampleAsync(late, 1, 1, default).AsTask());

        Assert.Contains("epoch", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Placement_is_asked_of_a_silo_by_name_and_only_the_leader_writes()
    {
        ShardMap first = EmbeddedCluster.MapOf(_orleans.Served!);
        Assert.True(await _orleans.State.TryWriteAsync(first, null, default));
        _orleans.Leader = "b";
        IPlacementActor Of(string silo) => _orleans.Server.Grains.GetGrain<IPlacementActor>(silo);

        byte[] map = await Of("b").MapAsync(PlacementCodec.WriteMapRequest("test"), default);
        string[] written = PlacementCodec.ReadStepped(await Of("b").StepAsync(default));
        _orleans.Leader = "another one";

        Assert.Equal(ShardMapCodec.Encode(first), ShardMapCodec.Encode(PlacementCodec.ReadMap(map)!));
        Assert.Equal(["test"], written);
        Assert.Empty(PlacementCodec.ReadStepped(await Of("b").StepAsync(default)));
        Assert.Contains("version", (await Assert.ThrowsAsync<IOException>(() => Of("b").MapAsync([0x92, 1], default))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<OrleansException>(() => Of("gone").StepAsync(default));
    }

    [Fact]
    public async Task A_training_is_begun_watched_and_stopped_in_the_silo_that_is_asked()
    {
        Build(_vectors, Options(shards: 2), folder: Path.Combine(_orleans.Store, "test"));
        ITrainingActor silo = _orleans.Server.Grains.GetGrain<ITrainingActor>("b");
        byte[] start = TrainingCodec.WriteStart("test", TrainingOrder.Of(new VectorQuantizerMethod(QuantizerKind.Pq, new QuantizerOptions { M = 2, K = 16 }), 1));

        TrainingRecord begun = TrainingCodec.ReadAnswer(await silo.StartAsync(start, default)).OrThrow();

        Assert.Equal(("b", TrainingState.Running), (begun.Silo, begun.State));
        Assert.Equal(begun.Number, Assert.Single(TrainingCodec.ReadKnown(await silo.WatchAsync(default))).Number);
        Assert.Equal(ProblemCode.Busy, TrainingCodec.ReadAnswer(await _orleans.Server.Grains.GetGrain<ITrainingActor>("a").StartAsync(start, default)).Problem?.Code);
        Assert.True(TrainingCodec.ReadAnswer(await silo.StopAsync(TrainingCodec.WriteStop("test"), default)).Ok);
        await Assert.ThrowsAsync<IOException>(() => silo.StopAsync([0x92, 1], default));
    }

    [Theory]
    [InlineData("docs/3/silo-1", true)]
    [InlineData("a.b_c-d/0/s", true)]
    [InlineData("docs/3", false)]
    [InlineData("docs/three/silo-1", false)]
    [InlineData("docs/-1/silo-1", false)]
    [InlineData("docs/1/silo/1", false)]
    public void A_key_is_read_as_it_was_written(string text, bool isKey) => Assert.Equal(isKey ? text : null, ShardKey.Parse(text)?.ToString());

    [Fact]
    public async Task A_silo_that_Orleans_has_declared_dead_is_no_member_though_its_lease_runs()
    {
        var kept = new EmbeddedClusterState();
        foreach (string name in (string[])["alive", "dead", "again", "unknown"])
        {
            Assert.NotNull(await kept.TryAcquireAsync(SiloNote.RoleOf(name), name, TimeSpan.FromMinutes(1), default));
        }

        ClusterMembershipSnapshot silos = Snapshot(
            ("alive", SiloStatus.Active), ("dead", SiloStatus.Dead), ("again", SiloStatus.Dead), ("again", SiloStatus.Joining), ("dead", SiloStatus.Dead));
        using var state = new OrleansClusterState(kept, () => silos);

        IReadOnlyList<NotedLease> members = await state.LeasesAsync(SiloNote.RolePrefix, default);

        Assert.Equal(["again", "alive", "unknown"], members.Select(member => member.Lease.Holder));
    }

    private static ClusterMembershipSnapshot Snapshot(params (string Name, SiloStatus Status)[] silos) => new(
        System.Collections.Immutable.ImmutableDictionary.CreateRange(silos.Select((silo, i) => KeyValuePair.Create(
            SiloAddress.New(System.Net.IPAddress.Loopback, 1000 + i, i), new ClusterMember(SiloAddress.New(System.Net.IPAddress.Loopback, 1000 + i, i), silo.Status, silo.Name)))),
        new MembershipVersion(1));
}
