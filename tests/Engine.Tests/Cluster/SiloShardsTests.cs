using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Shards;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>What a silo has open of a store's collections.</summary>
public class SiloShardsTests : ShardTest
{
    private const int Count = 400;
    private const string Name = "collection"; // its folder's

    private static readonly QuantizerOptions Codes = new() { M = 4, K = 16, TrainingVectors = 256, Iterations = 2 };

    private readonly CollectionManifest _manifest;
    private readonly DirectorySegmentStore _store;
    private readonly SegmentCache _cache;

    public SiloShardsTests()
    {
        using VectorBlock vectors = Bytes(Count);
        _manifest = Build(vectors, Options(shards: 4) with { Quantizer = QuantizerKind.Pq, Codes = Codes });
        _store = new DirectorySegmentStore(Disk, Root);
        _cache = SegmentCache.Direct(_store);
    }

    public override void Dispose()
    {
        _cache.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void A_collection_goes_by_its_name_in_the_store()
    {
        using SiloShards shards = Silo();

        Assert.Equal("test", _manifest.Name);
        Assert.Equal(Name, Assert.Single(shards.Manifests(default)).Name);
        Assert.Empty(Silo(only: "another").Manifests(default));
    }

    [Fact]
    public void A_collection_that_was_built_anew_is_not_opened_in_the_place_of_another()
    {
        using SiloShards shards = Silo();

        shards.Open(Shard(0), "of-another-build", true, Work.Quiet);
        Assert.Equal([], Assert.Single(shards.Held).CodesVersions);
        Assert.Contains("built anew", Assert.Single(shards.Held).Reason, StringComparison.Ordinal);

        shards.Open(Shard(0), _manifest.Lineage, true, Work.Quiet);
        Assert.Equal(["0: 0 1"], Words(shards));
        Assert.Equal(_manifest.Lineage, shards.Lineages[Name]);
    }

    [Fact]
    public void Shards_are_open_from_when_they_are_opened_until_they_are_closed()
    {
        using SiloShards shards = Silo();
        Assert.Empty(shards.Held);
        Assert.Null(shards.Find(Name));

        shards.Open(Shard(2), "", true, Work.Quiet);
        shards.Open(Shard(0), "", true, Work.Quiet);
        shards.Open(Shard(0), "", true, Work.Quiet);
        Assert.Equal(["0: 0 1", "2: 0 1"], Words(shards));
        Assert.True(shards.ResidentBytes > 0);
        Assert.True(Asked(shards, 2).Hits.Length > 0);

        shards.Close(Shard(2));
        shards.Close(Shard(2));
        shards.Close(Shard(3));
        Assert.Equal(["0: 0 1"], Words(shards));
        Assert.Single(Asked(shards, 2).Missing!);
    }

    [Fact]
    public void A_shard_that_does_not_fit_is_not_opened_and_says_need_and_have()
    {
        long one = _manifest.MemoryOf(_manifest.Shards[0], Residency.Mapped).Resident;
        using SiloShards shards = Silo(memory: one + (one / 2));

        shards.Open(Shard(0), "", true, Work.Quiet);
        long resident = shards.ResidentBytes;
        shards.Open(Shard(1), "", true, Work.Quiet);

        HeldShard refused = shards.Held.Single(held => held.Number == 1);
        Assert.Empty(refused.CodesVersions);
        Assert.Matches("NotEnoughMemory.*need [0-9]+ bytes, have [0-9]+", refused.Reason);
        Assert.Equal(resident, shards.ResidentBytes);

        shards.Close(Shard(0));
        shards.Open(Shard(1), "", true, Work.Quiet);
        Assert.Equal(["1: 0 1"], Words(shards));
    }

    [Fact]
    public void Halves_of_a_shard_are_opened_beside_it_without_taking_memory_and_it_can_still_be_opened()
    {
        using SiloShards shards = Silo();
        shards.Open(Shard(0), "", true, Work.Quiet);
        shards.Refresh(Name, codesInUse: 1, Work.Quiet); // has read the manifest a moment ago
        long resident = shards.ResidentBytes;
        LayoutJob.Run(Disk, Folder, m => new Outcome<LayoutChange?>(LayoutChange.Split(m, 0).Value, null), long.MaxValue, null, Work.Quiet).OrThrow();

        shards.Open(Shard(4), "", true, Work.Quiet); // the leader knows of it already
        shards.Open(Shard(5), "", true, Work.Quiet);
        Assert.Equal(["0: 0 1", "4: 0 1", "5: 0 1"], Words(shards));
        Assert.Equal(resident, shards.ResidentBytes);

        shards.Close(Shard(0));
        shards.Close(Shard(4));
        Assert.Equal(resident, shards.ResidentBytes);
        shards.Open(Shard(0), "", true, Work.Quiet);
        Assert.Equal(["0: 0 1", "5: 0 1"], Words(shards));
        shards.Close(Shard(0));
        shards.Close(Shard(5));
        Assert.Equal(0, shards.ResidentBytes);
    }

    [Fact]
    public void A_damaged_shard_says_so_and_the_others_serve()
    {
        string segment = Path.Combine(Folder, _manifest.Shards[1].Segment);
        byte[] whole = File.ReadAllBytes(segment);
        File.WriteAllBytes(segment, whole[..^100]);
        using SiloShards shards = Silo();

        shards.Open(Shard(0), "", true, Work.Quiet);
        shards.Open(Shard(1), "", true, Work.Quiet);
        Assert.Contains(_manifest.Shards[1].Segment, shards.Held.Single(held => held.Number == 1).Reason, StringComparison.Ordinal);
        Assert.True(Asked(shards, 0).Hits.Length > 0);

        File.WriteAllBytes(segment, whole);
        shards.Open(Shard(1), "", true, Work.Quiet);
        Assert.Equal(["0: 0 1", "1: 0 1"], Words(shards));
    }

    [Fact]
    public void A_collection_that_is_not_in_the_store_or_damaged_is_a_reason_too()
    {
        File.WriteAllBytes(Path.Combine(Folder, CollectionManifest.FileName), "{"u8.ToArray());
        using SiloShards shards = Silo();

        shards.Open(Shard(0), "", true, Work.Quiet);
        shards.Open(new ShardId("none", 0), "", true, Work.Quiet);

        Assert.Empty(shards.Manifests(default));
        Assert.Equal(2, shards.Held.Count);
        Assert.All(shards.Held, held => Assert.NotNull(held.Reason));
        shards.Close(new ShardId("none", 0));
        Assert.Single(shards.Held);
    }

    [Fact]
    public async Task New_codes_are_opened_beside_those_in_use_which_go_when_queries_have_turned()
    {
        using SiloShards shards = Silo();
        shards.Open(Shard(0), "", true, Work.Quiet);
        shards.Open(Shard(3), "", true, Work.Quiet);
        using (Collection training = Open())
        {
            var cluster = new EmbeddedCluster(Disk, Folder, training);
            var method = new VectorQuantizerMethod(QuantizerKind.Opq, Codes with { M = 3, Rotations = 2 });
            (await TrainingJob.RunAsync(Disk, Folder, cluster.State, cluster.Client, method, Work.Quiet)).OrThrow();
        }

        shards.Refresh(Name, codesInUse: 1, Work.Quiet);
        Assert.Equal(["0: 0 1 2", "3: 0 1 2"], Words(shards));
        Assert.NotEqual(Asked(shards, 0, codes: 1).Hits.ToArray(), Asked(shards, 0, codes: 2).Hits.ToArray());

        shards.Refresh(Name, codesInUse: 2, Work.Quiet);
        Assert.Equal(["0: 0 2", "3: 0 2"], Words(shards));
        shards.Open(Shard(1), "", true, Work.Quiet);
        Assert.Equal(["0: 0 2", "1: 0 2", "3: 0 2"], Words(shards));
    }

    private static ShardId Shard(int number) => new(Name, number);

    private static string[] Words(SiloShards shards) =>
        [.. shards.Held.OrderBy(held => held.Number).Select(held => $"{held.Number}: {string.Join(' ', held.CodesVersions.Order())}{held.Reason}")];

    private SiloShards Silo(long memory = 1 << 30, string? only = null) => new(Disk, _store, _cache, memory, Residency.Mapped, only);

    /// <summary>What a shard answers on codes.</summary>
    private static ShardAnswer Asked(SiloShards shards, int number, uint codes = 1)
    {
        Collection collection = shards.Find(Name)!;
        using Query query = collection.NewQuery();
        query.SetRow(new byte[Dim]);
        var client = new LocalShardClient("here", shards.Find);
        var asked = new ShardQuery(
            Name, new[] { new ShardSlots(number, Slots.All) }, query, new SearchParameters(5, 20, SearchMode.Codes), codes, new Hit[5]);
        return client.SearchAsync(new SiloId("here", 0), asked, Deadline.None, default).Result;
    }
}
