using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Shards;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>Codes of a training under way in silos that fetch from a store: made once, known to nobody before the manifest names them.</summary>
public class PreparedCodesTests : ShardTest
{
    private const string Name = "collection"; // its folder's

    private static readonly QuantizerOptions Codes = new() { M = 4, K = 16, TrainingVectors = 256, Iterations = 2 };

    private readonly VectorBlock _vectors = Bytes(400);
    private readonly CollectionManifest _manifest;
    private readonly CountingStore _store;
    private readonly string _ours;
    private readonly string _others;

    public PreparedCodesTests()
    {
        _manifest = Build(_vectors, Options(shards: 2) with { Quantizer = QuantizerKind.Pq, Codes = Codes });
        _store = new CountingStore(new DirectorySegmentStore(Disk, Root)) { IsFar = true };
        _ours = Publish(1);
        _others = Publish(2);
    }

    public override void Dispose()
    {
        _vectors.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void One_silo_makes_the_codes_and_the_other_fetches_them_and_neither_tells_of_them_before_the_manifest_does()
    {
        using Silo a = Opened("a"), b = Opened("b");
        string file = a.Shards.PrepareCodes(Shard(0), _ours, Work.Quiet).OrThrow();
        Assert.NotNull(_store.LengthOf(Name, file, default));
        Assert.DoesNotContain(file, _store.Fetched);

        Assert.Equal(file, b.Shards.PrepareCodes(Shard(0), _ours, Work.Quiet).OrThrow());
        Assert.Single(_store.Fetched, fetched => fetched == file);
        Assert.Equal(file, a.Shards.PrepareCodes(Shard(0), _ours, Work.Quiet).OrThrow()); // again, with the same effect as once
        a.Shards.PrepareCodes(Shard(1), _ours, Work.Quiet).OrThrow();
        b.Shards.PrepareCodes(Shard(1), _ours, Work.Quiet).OrThrow();
        a.Shards.Refresh(Name, 1, Work.Quiet);
        Assert.All(a.Shards.Held, held => Assert.Equal([0u, 1u], held.CodesVersions));
        Assert.Contains(2u, a.Open.ShardOf(0).CodesVersions);

        int fetched = _store.Fetched.Count;
        Commit(_ours);
        Follow(a, b);
        Assert.All(a.Shards.Held.Concat(b.Shards.Held), held => Assert.Equal([0u, 1u, 2u], held.CodesVersions));
        Assert.Equal(fetched, _store.Fetched.Count); // all of it was there
        a.Shards.Refresh(Name, 2, Work.Quiet);
        Assert.All(a.Shards.Held, held => Assert.Equal([0u, 2u], held.CodesVersions));
        Assert.Equal(Answers(b), Answers(a));
    }

    [Fact]
    public void Codes_of_another_training_of_the_same_number_give_way_to_those_of_the_manifest_and_never_come_back()
    {
        using Silo a = Opened("a"), b = Opened("b");
        a.Shards.PrepareCodes(Shard(0), _others, Work.Quiet).OrThrow();
        b.Shards.PrepareCodes(Shard(0), _ours, Work.Quiet).OrThrow();
        a.Shards.DropCodes(Shard(0), 2);
        Assert.DoesNotContain(2u, a.Open.ShardOf(0).CodesVersions);
        a.Shards.PrepareCodes(Shard(0), _others, Work.Quiet).OrThrow();
        b.Shards.PrepareCodes(Shard(1), _ours, Work.Quiet).OrThrow();

        Commit(_ours);
        Follow(a, b);
        Assert.Equal(Answers(b), Answers(a));

        Assert.Equal(ProblemCode.NotSupported, a.Shards.PrepareCodes(Shard(0), _others, Work.Quiet).Problem?.Code); // a trainer that is late
        a.Shards.DropCodes(Shard(0), 2);
        Assert.All(a.Shards.Held, held => Assert.Equal([0u, 1u, 2u], held.CodesVersions));
        Assert.Equal(Answers(b), Answers(a));
    }

    [Fact]
    public void A_silo_without_the_memory_for_both_says_so_and_a_shard_that_is_not_open_cannot_be_prepared()
    {
        long both = _manifest.Shards.Sum(shard => _manifest.MemoryOf(shard, Residency.Mapped).Resident);
        using Silo a = Opened("a", both + 10);
        Assert.Equal(ProblemCode.NotEnoughMemory, a.Shards.PrepareCodes(Shard(0), _ours, Work.Quiet).Problem?.Code);
        a.Shards.Close(Shard(0));
        Assert.Throws<IOException>(() => a.Shards.PrepareCodes(Shard(0), _ours, Work.Quiet));
        Assert.Throws<IOException>(() => a.Shards.PrepareCodes(new ShardId("nothing", 0), _ours, Work.Quiet));
        Assert.ThrowsAny<IOException>(() => a.Shards.PrepareCodes(Shard(1), "quantizer-0000000000000000.codebook", Work.Quiet));
    }

    private static ShardId Shard(int number) => new(Name, number);

    /// <summary>A quantizer of version 2 in the store.</summary>
    private string Publish(ulong seed)
    {
        string file = CollectionFiles.Quantizer(seed);
        IQuantizer quantizer = QuantizerTrainer.Train(QuantizerKind.Pq, _vectors, Metric.L2, Codes with { Version = 2, Seed = seed }, Work.Quiet);
        BytesFile.Write(_store, Name, file, QuantizerFile.Serialize(quantizer), default);
        return file;
    }

    private void Commit(string quantizerFile)
    {
        PublishedQuantizer quantizer = PublishedQuantizer.Read(Disk, Folder, quantizerFile);
        CollectionManifest next = _manifest with
        {
            Quantizer = quantizer.Entry,
            Shards = [.. _manifest.Shards.Select(shard => shard with { Codes = CollectionFiles.Codes(shard.Segment, quantizerFile) })],
        };
        Assert.All(next.Files, file => Assert.NotNull(_store.LengthOf(Name, file, default)));
        Assert.Null(ManifestCommit.InStore(_store, Name, _manifest, next, default));
    }

    /// <summary>Looks for the manifest, which a silo asks for once a second, until it has followed.</summary>
    private static void Follow(params Silo[] silos)
    {
        foreach (Silo silo in silos)
        {
            for (int attempt = 0; silo.Open.Manifest.CodesVersion != 2; attempt++)
            {
                Assert.True(attempt < 500, $"it does not follow: {string.Join("; ", silo.Shards.Held.Select(held => held.Reason))}");
                silo.Shards.Refresh(Name, 1, Work.Quiet);
                Thread.Sleep(20);
            }
        }
    }

    private Silo Opened(string name, long memory = long.MaxValue)
    {
        SegmentCache cache = SegmentCache.Open(_store, Disk, Path.Combine(Root, $"cache-{name}"), long.MaxValue).OrThrow();
        var shards = new SiloShards(Disk, _store, cache, memory, Residency.Mapped, null);
        shards.Open(Shard(0), "", true, Work.Quiet);
        shards.Open(Shard(1), "", true, Work.Quiet);
        Assert.All(shards.Held, held => Assert.Null(held.Reason));
        return new Silo(shards, cache);
    }

    /// <summary>The neighbours of some vectors by the codes of version 2.</summary>
    private string[] Answers(Silo silo)
    {
        var client = new LocalShardClient("a", silo.Shards.Find, silo.Shards);
        return [.. Enumerable.Range(0, 10).Select(i =>
        {
            using Query query = silo.Open.NewQuery();
            query.SetRow(_vectors.RowSpan(i * 40));
            ShardSlots[] all = [.. silo.Open.Shards.Select(shard => new ShardSlots(shard.Entry.Id, new SlotRange(shard.Entry.SlotFrom, shard.Entry.SlotTo)))];
            var asked = new ShardQuery(Name, all, query, new SearchParameters(10, 50, SearchMode.Codes), 2, new Hit[10]);
            ValueTask<ShardAnswer> answer = client.SearchAsync(new SiloId("a", 0), asked, Deadline.None, default);
            Assert.True(answer.IsCompletedSuccessfully && answer.Result.Refusal is null, $"{answer.Result.Refusal}");
            return string.Join(' ', answer.Result.Hits.ToArray());
        })];
    }

    private sealed record Silo(SiloShards Shards, SegmentCache Cache) : IDisposable
    {
        public Collection Open => Shards.Find(Name)!;

        public void Dispose()
        {
            Shards.Dispose();
            Cache.Dispose();
        }
    }
}
