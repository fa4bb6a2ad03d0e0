using Signpost.Cluster.Tests.Peers;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Shards;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;
using Signpost.Grains;
using Signpost.Grains.Wire;
using Signpost.Silo.Peers;

namespace Signpost.Cluster.Tests.Grains;

/// <summary>A training whose shards are in two silos ends with the same files, byte for byte, as one in a single process.</summary>
public sealed class TrainingOverPeersTests : ShardTest
{
    private static readonly RpqMethod Rpq = new(new RpqOptions
    {
        M = 3,
        K = 16,
        TrainingVectors = 256,
        Sampling = new SamplingOptions { Queries = 64, HeldOut = 20, L = 30, Top = 15, Negatives = 15, HopsPerQuery = 2, CandidatesPerHop = 8 },
        ScoreL = 20,
        BatchQueries = 16,
        Steps = 8,
        StepsPerRefresh = 4,
    });

    private static readonly VectorQuantizerMethod Opq = new(
        QuantizerKind.Opq, new QuantizerOptions { M = 3, K = 16, TrainingVectors = 256, Iterations = 3, Rotations = 2 });

    private readonly VectorBlock _vectors = Bytes(400);

    public override void Dispose()
    {
        _vectors.Dispose();
        base.Dispose();
    }

    public static TheoryData<string> Methods => ["opq", "rpq"];

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task Files_are_those_of_a_training_in_one_process(string name)
    {
        QuantizerMethod method = name == "rpq" ? Rpq : Opq;
        BuildIn("test");
        string copy = Path.Combine(Root, "copy"), folder = Path.Combine(Root, "test");
        Directory.CreateDirectory(copy);
        Array.ForEach(Directory.GetFiles(folder), file => File.Copy(file, Path.Combine(copy, Path.GetFileName(file))));
        using (Collection alone = Collection.Open(Disk, copy, new CollectionOptions(), Work.Quiet).OrThrow())
        {
            var cluster = new EmbeddedCluster(Disk, copy, alone);
            (await TrainingJob.RunAsync(Disk, copy, cluster.State, cluster.Client, method, new Work(2))).OrThrow();
        }

        using Collection ofB = Collection.Open(Disk, folder, new CollectionOptions(), Work.Quiet).OrThrow();
        using Collection ofC = Collection.Open(Disk, folder, new CollectionOptions(), Work.Quiet).OrThrow();
        await using PeerSilo b = await PeerSilo.StartAsync("b", _ => ofB);
        await using PeerSilo c = await PeerSilo.StartAsync("c", _ => ofC);
        var state = new EmbeddedClusterState();
        ShardMap map = EmbeddedCluster.MapOf(ofB);
        map = new ShardMap(map.Collection, 1, [.. map.Shards.Select((shard, i) => shard with { Replicas = [Serving(i == 1 ? c : b)] })], map.CodesVersion);
        Assert.True(await state.TryWriteAsync(map, null, default));
        using var client = new PeerShardClient(b.Shards, _ => c.Address); // b asks itself and c
        var trainer = new Trainer(state, "b", new DirectorySegmentStore(Disk, Root), Disk, client, new TrainerOptions { ThreadsMax = 2, Lease = PeerSilo.LeaseTime }, TimeProvider.System); // nobody beats
        var grain = new TrainingGrain(trainer);

        byte[] start = TrainingCodec.WriteStart("test", TrainingOrder.Of(method, 2));
        TrainingRecord begun = TrainingCodec.ReadAnswer(await grain.StartAsync(start, default)).OrThrow();
        Assert.Equal((TrainingState.Running, TrainingStep.Ordered, "b"), (begun.State, begun.Step, begun.Silo));
        Assert.Equal(ProblemCode.Busy, TrainingCodec.ReadAnswer(await grain.StartAsync(start, default)).Problem?.Code);
        Task<string?> run = Task.Run(async () => await trainer.RunAsync(default));
        await Wait.Until(() => new ValueTask<uint>(ManifestFile.Open(Disk, folder).OrThrow().CodesVersion), version => version == 2);
        Assert.True(await state.TryWriteAsync(map.WithCodes(2), null, default)); // as a leader does when all have the codes
        Assert.Equal("training of test: queries use codes version 2", await run);

        TrainingRecord done = Assert.Single(TrainingCodec.ReadKnown(await grain.WatchAsync(default)));
        Assert.Equal((TrainingState.Done, TrainingStep.Cleaning, 2u, begun.Number), (done.State, done.Step, done.CodesVersion, done.Number));
        Assert.Equal(256, done.Sampled);
        Assert.Equal(name == "rpq", done.Points.Any(point => point.Loss is not null) && done.Points.Any(point => point.Recall is > 0));
        Dictionary<string, byte[]> files = FilesIn(folder);
        Assert.True(files.Remove(TrainingRecord.FileName));
        Assert.Equal(FilesIn(copy), files);

        Assert.True(TrainingCodec.ReadAnswer(await grain.StartAsync(start, default)).Ok); // there already
        Assert.Equal("training of test: queries use codes version 2", await trainer.RunAsync(default));
        Assert.Equal(ProblemCode.NotFound, TrainingCodec.ReadAnswer(await grain.StopAsync(TrainingCodec.WriteStop("test"), default)).Problem?.Code);

        static Replica Serving(PeerSilo silo) => new(silo.Id.Name, ReplicaState.Serving, null, silo.Id.Epoch);
    }

    [Fact]
    public void Orders_arrive_as_they_were_sent()
    {
        QuantizerMethod[] methods = [Rpq, Opq, new RpqMethod(RpqOptions.Best), new RpqMethod(RpqOptions.Faithful with { Seed = ulong.MaxValue })];
        Assert.All(methods, method =>
        {
            (string collection, TrainingOrder order) = TrainingCodec.ReadStart(TrainingCodec.WriteStart("c", TrainingOrder.Of(method, 3)));
            Assert.Equal(("c", 3, method), (collection, order.Threads, order.Method));
        });
    }

    [Fact]
    public async Task A_silo_may_refuse_to_begin_one()
    {
        var leaving = new Problem(ProblemCode.Busy, "training", "a, which stops", "a silo that stays", "Ask another one.");
        var trainer = new Trainer(new EmbeddedClusterState(), "a", new DirectorySegmentStore(Disk, Root), Disk, null!, new TrainerOptions(), TimeProvider.System);
        var grain = new TrainingGrain(trainer, (_, _, _) => new ValueTask<Outcome<TrainingRecord>>(leaving));

        byte[] answer = await grain.StartAsync(TrainingCodec.WriteStart("c", TrainingOrder.Of(Opq, 1)), default);

        Assert.Equal(leaving, TrainingCodec.ReadAnswer(answer).Problem);
        Assert.False(trainer.IsTraining);
    }

    [Fact]
    public async Task A_request_that_is_none_is_refused()
    {
        var store = new DirectorySegmentStore(Disk, Root);
        var grain = new TrainingGrain(new Trainer(new EmbeddedClusterState(), "b", store, Disk, null!, new TrainerOptions(), TimeProvider.System));
        byte[] good = TrainingCodec.WriteStart("nothing", TrainingOrder.Of(Opq, 1));
        for (int length = 0; length < good.Length; length++)
        {
            byte[] cut = good[..length];
            await Assert.ThrowsAsync<ProblemException>(() => grain.StartAsync(cut, default));
            await Assert.ThrowsAsync<ProblemException>(() => grain.StopAsync(cut, default));
        }

        Assert.Equal(ProblemCode.NotFound, TrainingCodec.ReadAnswer(await grain.StartAsync(good, default)).Problem?.Code);
        Assert.Equal(ProblemCode.InvalidArgument, TrainingCodec.ReadAnswer(await grain.StartAsync(TrainingCodec.WriteStart("../x", TrainingOrder.Of(Opq, 1)), default)).Problem?.Code);
    }

    private void BuildIn(string name)
    {
        var codes = new QuantizerOptions { M = 4, K = 16, Iterations = 2, TrainingVectors = 256 };
        Build(_vectors, Options(shards: 3) with { Quantizer = QuantizerKind.Pq, Codes = codes }, folder: Path.Combine(Root, name));
    }
}
