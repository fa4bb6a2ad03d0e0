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
    public async Task A_training_of_a_later_lease_than_the_state_knows_is_gone_on_with_only_where_the_folder_is_locked()
    {
        BuildBoth();
        Leave(TrainingOf("one") with { Epoch = 5 });
        var bucket = new UnlockedStore(Store);
        Trainer elsewhere = TrainerOf("a", new EmbeddedClusterState(), bucket), here = TrainerOf("b", _state);

        await elsewhere.LookAsync(["one", "two"], mayAdopt: true, default);
        Assert.False(elsewhere.IsTraining); // it may be this one that was frozen after it got its lease
        Assert.Equal(("c", 5), (RecordOf("one").Silo, RecordOf("one").Epoch));

        await here.LookAsync(["one", "two"], mayAdopt: true, default);
        Assert.True(here.IsTraining);
        Assert.Equal(("b", 5), (RecordOf("one").Silo, RecordOf("one").Epoch));
    }

    [Fact]
    public async Task A_training_that_has_lost_many_trainers_is_given_up()
    {
        BuildBoth();
        Leave(TrainingOf("one") with { Resumed = new TrainerOptions().ResumesMax });

        TrainingRecord ended = await GoOnAsync("one");

        Assert.Equal(TrainingState.Failed, ended.State);
        Assert.Contains("11 trainers that were lost", ended.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_training_of_a_collection_that_was_built_or_trained_anew_meanwhile_is_given_up()
    {
        BuildBoth();
        Leave(TrainingOf("one") with { Lineage = "another" });
        Leave(TrainingOf("two") with { From = 7 });

        Assert.All((TrainingRecord[])[await GoOnAsync("one"), await GoOnAsync("two")], ended =>
        {
            Assert.Equal(TrainingState.Failed, ended.State);
            Assert.Contains("anew", ended.Reason, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_training_that_cannot_be_gone_on_with_keeps_no_other_from_it()
    {
        BuildBoth();
        Array.ForEach((string[])["one", "two"], name => Leave(TrainingOf(name)));
        using IDisposable writer = CollectionFiles.Lock(Disk, Path.Combine(Root, "one")).OrThrow();
        Trainer trainer = TrainerOf("a", _state);

        await trainer.LookAsync(["one", "two"], mayAdopt: true, default);

        Assert.Equal("training/two", Assert.Single(await _state.LeasesAsync(Trainer.RolePrefix, default)).Lease.Role);
    }

    /// <summary>Goes on with what is left, to its end.</summary>
    private async Task<TrainingRecord> GoOnAsync(string collection)
    {
        Trainer trainer = TrainerOf("a", _state);
        await trainer.LookAsync([collection], mayAdopt: true, default);
        Assert.True(trainer.IsTraining);
        await trainer.RunAsync(default);
        Assert.Empty(await _state.LeasesAsync(Trainer.RolePrefix, default));
        return RecordOf(collection);
    }

    private TrainingRecord TrainingOf(string collection)
    {
        CollectionManifest manifest = StoreTraining.Read(Store, collection, default).OrThrow();
        return new TrainingRecord
        {
            Collection = collection,
            Silo = "c",
            Epoch = 1,
            Number = 1,
            Order = TrainingOrder.Of(Opq, 1),
            Lineage = manifest.Lineage,
            From = manifest.CodesVersion,
        };
    }

    private void Leave(TrainingRecord record) => BytesFile.Write(Store, record.Collection, TrainingRecord.FileName, record.Write(), default);

    private TrainingRecord RecordOf(string collection) => TrainingRun.Read(Store, collection, default)!;

    private DirectorySegmentStore Store => new(Disk, Root);

    private void BuildBoth()
    {
        foreach (string name in (string[])["one", "two"])
        {
            Build(Vectors, WithCodes(1), folder: Path.Combine(Root, name));
        }
    }

    private Trainer TrainerOf(string silo, IClusterState state, ISegmentStore? store = null) =>
        new(state, silo, store ?? Store, Disk, null!, new TrainerOptions(), TimeProvider.System);

    /// <summary>As a bucket: nothing in it can be locked.</summary>
    private sealed class UnlockedStore(ISegmentStore store) : ISegmentStore
    {
        public string Name => store.Name;

        public IReadOnlyList<string> Collections(CancellationToken cancel) => store.Collections(cancel);

        public byte[]? ReadManifest(string collection, CancellationToken cancel) => store.ReadManifest(collection, cancel);

        public bool TryReplaceManifest(string collection, byte[]? before, byte[] manifest, CancellationToken cancel) =>
            store.TryReplaceManifest(collection, before, manifest, cancel);

        public long? LengthOf(string collection, string file, CancellationToken cancel) => store.LengthOf(collection, file, cancel);

        public void Get(string collection, string file, IFileWriter target, CancellationToken cancel) => store.Get(collection, file, target, cancel);

        public void Put(string collection, string file, IFileReader source, CancellationToken cancel) => store.Put(collection, file, source, cancel);

        public void Delete(string collection, string file, CancellationToken cancel) => store.Delete(collection, file, cancel);

        public string? FolderOf(string collection) => null;
    }
}
