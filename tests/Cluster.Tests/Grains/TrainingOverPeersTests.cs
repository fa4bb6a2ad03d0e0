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
        var codes = new QuantizerOptions { M = 4, K = 16, Iterations = 2, TrainingVectors = 256 };
        Build(_vectors, Options(shards: 3) with { Quantizer = QuantizerKind.Pq, Codes = codes });
        string copy = Path.Combine(Root, "copy");
        Directory.CreateDirectory(copy);
        Array.ForEach(Directory.GetFiles(Folder), file => File.Copy(file, Path.Combine(copy, Path.GetFileName(file))));
        using (Collection alone = Collection.Open(Disk, copy, new CollectionOptions(), Work.Quiet).OrThrow())
        {
            var cluster = new EmbeddedCluster(Disk, copy, alone);
            (await TrainingJob.RunAsync(Disk, copy, cluster.State, cluster.Client, method, new Work(2))).OrThrow();
        }

        using Collection ofB = Open();
        using Collection ofC = Open();
        await using PeerSilo b = await PeerSilo.StartAsync("b", _ => ofB);
        await using PeerSilo c = await PeerSilo.StartAsync("c", _ => ofC);
        var state = new EmbeddedClusterState();
        ShardMap map = EmbeddedCluster.MapOf(ofB);
        map = new ShardMap(map.Collection, 1, [.. map.Shards.Select((shard, i) => shard with { Replicas = [Serving(i == 1 ? c : b)] })], map.CodesVersion);
        Assert.True(await state.TryWriteAsync(map, null, default));
        using var client = new PeerShardClient(b.Shards, _ => c.Address); // b asks itself and c
        var grain = new TrainingGrain(Disk, Folder, state, client);

        WireTraining done = TrainingCodec.ReadAnswer(await grain.RunAsync(TrainingCodec.WriteRequest(method, 2), default)).OrThrow();

        Assert.Equal((2u, false), (done.CodesVersion, done.WasDone));
        Assert.Equal(FilesIn(copy), FilesIn(Folder));
        Assert.Equal(2u, (await state.ReadAsync("test", default))!.CodesVersion);
        Assert.True(TrainingCodec.ReadAnswer(await grain.RunAsync(TrainingCodec.WriteRequest(method, 2), default)).OrThrow().WasDone);

        static Replica Serving(PeerSilo silo) => new(silo.Id.Name, ReplicaState.Serving, null, silo.Id.Epoch);
    }

    [Fact]
    public void Methods_arrive_as_they_were_sent()
    {
        QuantizerMethod[] methods = [Rpq, Opq, new RpqMethod(RpqOptions.Best), new RpqMethod(RpqOptions.Faithful with { Seed = ulong.MaxValue })];
        Assert.All(methods, method => Assert.Equal((method, 3), TrainingCodec.ReadRequest(TrainingCodec.WriteRequest(method, 3))));
    }

    [Fact]
    public async Task A_request_that_is_none_is_refused()
    {
        var grain = new TrainingGrain(Disk, Folder, new EmbeddedClusterState(), null!);
        byte[] good = TrainingCodec.WriteRequest(Opq, 1);
        for (int length = 0; length < good.Length; length++)
        {
            byte[] cut = good[..length];
            await Assert.ThrowsAsync<ProblemException>(() => grain.RunAsync(cut, default));
        }

        Outcome<WireTraining> nothingThere = TrainingCodec.ReadAnswer(await grain.RunAsync(good, default));
        Assert.Equal(ProblemCode.NotFound, nothingThere.Problem?.Code);
    }
}
