using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Cluster.Simulation;
using Signpost.Engine.Tests.Shards;
using Signpost.Engine.Tests.Support;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>Shards that are kept within limits.</summary>
public class LayoutKeeperTests : LayoutTest
{
    private readonly ManualTime _time = new();

    [Fact]
    public void What_is_too_large_is_split_first_then_compacted_and_small_neighbours_merge()
    {
        var limits = new LayoutLimits(Vectors: 100, Bytes: 0);
        CollectionManifest manifest = SimulatedManifests.Built("c", 1) with { Count = 350 };
        manifest = manifest with { Shards = [manifest.Shards[0] with { Count = 350 }] };
        var sizes = new List<string>();
        for (int i = 0; limits.Next(manifest) is { } change; i++)
        {
            Assert.True(i < 20, "it ends");
            manifest = SimulatedManifests.Changed(manifest, change);
            sizes.Add(string.Join(' ', manifest.Shards.Select(s => s.Count)) + (manifest.Shards.Any(s => s.Whole is not null) ? " parts" : ""));
        }

        Assert.Equal(["175 175 parts", "87 88 175 parts", "87 88 87 88 parts", "87 88 87 88"], sizes);

        LayoutLimits higher = new(1000, 0);
        for (LayoutChange? change = higher.Next(manifest); change is not null; change = higher.Next(manifest))
        {
            manifest = SimulatedManifests.Changed(manifest, change);
        }

        Assert.Equal((2, 350), (manifest.Shards.Count, manifest.Shards.Sum(s => s.Count))); // all in one would be above a third
        Assert.Null(new LayoutLimits(0, 0).Next(manifest));
        Assert.NotNull(new LayoutLimits(0, 1).Next(manifest));
        Assert.Null(new LayoutLimits(0, 1 << 20).Next(SimulatedManifests.Built("c", 1)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_change_waits_until_queries_have_turned_to_the_last_and_former_files_go_a_while_after_it(bool isFar)
    {
        Build(shards: 2);
        IClusterState state = new EmbeddedClusterState(_time);
        var store = new CountingStore(new DirectorySegmentStore(Disk, Root)) { IsFar = isFar };
        using SegmentCache cache = SegmentCache.Open(store, Disk, Path.Combine(Root, "cache"), 1 << 30).OrThrow();
        string name = Path.GetFileName(Folder);
        var keeper = new LayoutKeeper(
            state, collection => LayoutSite.InStore(Disk, store, collection, cache, null), new LayoutLimits(200, 0), TimeSpan.FromSeconds(10), _time);
        Assert.Null(Step()); // there is no map
        Turn();

        (int first, int second) = Manifest.Shards[0].Count > Manifest.Shards[1].Count ? (0, 1) : (1, 0);
        Assert.Equal($"{name}: shards {first} became 2, 3", Step());
        Assert.Null(Step());
        Turn();
        Assert.Equal($"{name}: shards {second} became 4, 5", Step());
        Turn();
        Assert.Equal($"{name}: shards {(first == 0 ? "2, 3" : "4, 5")} became 6, 7", Step());
        Turn();
        Assert.Equal($"{name}: shards {(first == 0 ? "4, 5" : "2, 3")} became 8, 9", Step());
        Turn();
        Assert.Null(Step());
        _time.Pass(TimeSpan.FromSeconds(11));
        Assert.StartsWith($"{name}: the files of former shards", Step(), StringComparison.Ordinal);
        Assert.Null(Step());

        Assert.Equal([6, 7, 8, 9], Manifest.Shards.Select(s => s.Id));
        Assert.Equal(isFar, store.Fetched.Count > 0);
        Assert.Equal(Manifest.Files.Append(CollectionManifest.FileName).Order(), NamesIn(Folder).Order());
        Assert.Equal(
            Nearest(Vectors, Vectors.RowSpan(0), 10).Select(h => h.Id), Answers(new SearchParameters(10, Count, SearchMode.Exact))[0].Select(h => h.Id));

        string? Step() => keeper.StepAsync(Manifest with { Name = name }, long.MaxValue, Work.Quiet).AsTask().GetAwaiter().GetResult();

        void Turn()
        {
            CollectionManifest now = Manifest;
            long version = (state.ReadAsync(name, default).Result?.Version ?? 0) + 1;
            ShardEntry[] shards = [.. now.Shards.Select(s => new ShardEntry(new ShardId(name, s.Id), new SlotRange(s.SlotFrom, s.SlotTo), s.Count, []))];
            Assert.True(state.TryWriteAsync(new ShardMap(name, version, [.. shards], 0, [], now.Lineage), null, default).Result);
        }
    }

    [Fact]
    public async Task A_collection_that_cannot_be_changed_does_not_hold_up_the_others()
    {
        Build(shards: 1);
        IClusterState state = new EmbeddedClusterState(_time);
        string name = Path.GetFileName(Folder);
        var store = new DirectorySegmentStore(Disk, Root);
        using SegmentCache cache = SegmentCache.Open(store, Disk, Path.Combine(Root, "cache"), 1 << 30).OrThrow();
        LayoutSite SiteOf(string collection) => collection == name
            ? LayoutSite.InStore(Disk, store, collection, cache, null)
            : throw new ProblemException(new Problem(ProblemCode.NotEnoughMemory, "segment", "a large one", "a small one", "Give it more memory."));
        var keeper = new LayoutKeeper(state, SiteOf, new LayoutLimits(Count / 2, 0), TimeSpan.FromSeconds(10), _time);
        CollectionManifest[] manifests = [Manifest with { Name = "before" }, Manifest with { Name = name }];
        foreach (CollectionManifest manifest in manifests)
        {
            ShardEntry[] shards = [.. manifest.Shards.Select(s => new ShardEntry(new ShardId(manifest.Name, s.Id), new SlotRange(s.SlotFrom, s.SlotTo), s.Count, []))];
            Assert.True(await state.TryWriteAsync(new ShardMap(manifest.Name, 1, [.. shards], 0, [], manifest.Lineage), null, default));
        }

        var said = new List<string>();
        IOException failure = await Assert.ThrowsAsync<IOException>(async () => await keeper.StepAsync(manifests, () => long.MaxValue, said.Add, Work.Quiet));

        Assert.Contains("a large one", failure.Message, StringComparison.Ordinal);
        Assert.Equal([$"{name}: shards 0 became 1, 2"], said);
    }
}
