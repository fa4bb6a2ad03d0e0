using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Cluster.Simulation;
using Signpost.Engine.Tests.Shards;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>Which trainings are begun, and which are not; how they go is simulated.</summary>
public sealed class TrainerTests : TrainingTest
{
    private readonly EmbeddedClusterState _state = new();

    [Fact]
    public async Task Of_two_that_begin_in_the_same_instant_one_at_most_runs()
    {
        BuildBoth();
        var hooked = new FaultyState(_state, (_, _) => { });
        Trainer one = TrainerOf("a", hooked), other = TrainerOf("b", _state);

        // The first call of the one looks for other trainings: it finds none, and then the other begins.
        hooked.AfterCall = call => _ = call == 1 ? other.StartAsync("two", TrainingOrder.Of(Opq, 1), default).Result.OrThrow() : null;
        Outcome<TrainingRecord> refused = await one.StartAsync("one", TrainingOrder.Of(Opq, 1), default);

        Assert.Equal(ProblemCode.Busy, refused.Problem?.Code);
        Assert.Contains("two is being trained by b", refused.Problem!.ToString(), StringComparison.Ordinal);
        Assert.False(one.IsTraining);
        Assert.True(other.IsTraining);
        Assert.Equal("training/two", Assert.Single(await _state.LeasesAsync(Trainer.RolePrefix, default)).Lease.Role);
        Assert.Null(TrainingRun.Read(Store, "one", default));
    }

    [Fact]
    public async Task A_training_of_a_later_lease_than_the_state_knows_is_not_gone_on_with()
    {
        BuildBoth();
        TrainingRecord left = new() { Collection = "one", Silo = "c", Epoch = 5, Number = 1, Order = TrainingOrder.Of(Opq, 1) };
        BytesFile.Write(Store, "one", TrainingRecord.FileName, left.Write(), default);
        Trainer trainer = TrainerOf("a", _state);

        await trainer.LookAsync(["one", "two"], mayAdopt: true, default);

        Assert.False(trainer.IsTraining);
        Assert.Equal(left.Epoch, TrainingRun.Read(Store, "one", default)?.Epoch);
        for (int i = 0; i < 4; i++)
        {
            await trainer.LookAsync(["one", "two"], mayAdopt: true, default); // each takes a lease, of one epoch more
        }

        Assert.True(trainer.IsTraining);
    }

    private DirectorySegmentStore Store => new(Disk, Root);

    private void BuildBoth()
    {
        foreach (string name in (string[])["one", "two"])
        {
            Build(Vectors, WithCodes(1), folder: Path.Combine(Root, name));
        }
    }

    private Trainer TrainerOf(string silo, IClusterState state) => new(state, silo, Store, Disk, null!, new TrainerOptions(), TimeProvider.System);
}
