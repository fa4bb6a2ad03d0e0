using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Tests.Shards;

/// <summary>Other shards for a collection of a store: one that is no folder, through a cache, and by publishing a folder that was changed.</summary>
public class LayoutStoreTests : LayoutTest
{
    private const string Name = "test";

    private readonly DirectorySegmentStore _origin;
    private readonly CountingStore _store;

    public LayoutStoreTests()
    {
        _origin = new DirectorySegmentStore(Disk, Path.Combine(Root, "store"));
        _store = new CountingStore(_origin) { IsFar = true };
    }

    private CollectionManifest Stored => ManifestFile.Parse(_origin.ReadManifest(Name, default)!, "store");

    [Fact]
    public void A_collection_that_is_in_no_folder_is_changed_through_a_cache_that_fetches_what_it_needs()
    {
        Build(shards: 3);
        CollectionPublisher.Publish(Disk, Folder, _origin, false, Work.Quiet).OrThrow();
        Hit[][] before = Answers(new SearchParameters(10, Count, SearchMode.Exact));
        using SegmentCache cache = SegmentCache.Open(_store, Disk, Path.Combine(Root, "cache"), 1 << 30).OrThrow();
        string folder = cache.Ensure(Name, [], Work.Quiet).OrThrow();

        cache.Ensure(Name, [1], Work.Quiet).OrThrow();
        LayoutJob.Run(Disk, folder, m => Nullable(LayoutChange.Split(m, 1)), long.MaxValue, _store, Work.Quiet).OrThrow();
        Assert.Equal([0, 3, 4, 2], Stored.Shards.Select(s => s.Id));
        cache.Ensure(Name, [], Work.Quiet).OrThrow();
        LayoutResult compacted = LayoutJob.Run(
            Disk, folder, m => new Outcome<LayoutChange?>(LayoutChange.Compact(m), null), long.MaxValue, _store, Work.Quiet).OrThrow();

        Assert.DoesNotContain(Stored.Shards[0].Segment, _store.Fetched);
        Assert.True(compacted.Manifest.IsSame(Stored));
        cache.Ensure(Name, [], Work.Quiet).OrThrow();
        LayoutJob.Forget(Disk, folder, _store, Work.Quiet).OrThrow();
        Assert.Equal(Stored.Files.Append(CollectionManifest.FileName).Order(), NamesIn(_origin.FolderOf(Name)).Order());
        Directory.Delete(Folder, recursive: true);
        Directory.Move(_origin.FolderOf(Name), Folder);
        Assert.Equal(before, Answers(new SearchParameters(10, Count, SearchMode.Exact)));
    }

    [Fact]
    public void A_store_whose_manifest_has_changed_meanwhile_keeps_it()
    {
        Build(shards: 2);
        CollectionPublisher.Publish(Disk, Folder, _origin, false, Work.Quiet).OrThrow();
        using SegmentCache cache = SegmentCache.Open(_store, Disk, Path.Combine(Root, "cache"), 1 << 30).OrThrow();
        string folder = cache.Ensure(Name, [0, 1], Work.Quiet).OrThrow();
        Split(0);
        CollectionPublisher.Publish(Disk, Folder, _origin, false, Work.Quiet).OrThrow(); // by another operator
        byte[] there = _origin.ReadManifest(Name, default)!;

        Outcome<LayoutResult> refused = LayoutJob.Run(Disk, folder, m => Nullable(LayoutChange.Merge(m, 0, 1)), long.MaxValue, _store, Work.Quiet);

        Assert.Equal(ProblemCode.Busy, refused.Problem?.Code);
        Assert.Equal(there, _origin.ReadManifest(Name, default));
    }

    [Fact]
    public void A_folder_that_was_changed_is_published_over_its_former_layout_and_never_the_other_way_round()
    {
        Build(shards: 2);
        string former = Path.Combine(Root, "former");
        CollectionPublisher.Publish(Disk, Folder, _origin, false, Work.Quiet).OrThrow();
        CollectionPublisher.Publish(Disk, Folder, new DirectorySegmentStore(Disk, former), false, Work.Quiet).OrThrow();
        Merge(0, 1);

        PublishResult pushed = CollectionPublisher.Publish(Disk, Folder, _origin, false, Work.Quiet).OrThrow();

        Assert.Equal((7, 2), (pushed.Files, pushed.FilesSent));
        Assert.Equal([2], Stored.Shards.Select(s => s.Id));
        Assert.Equal(
            ProblemCode.AlreadyExists, CollectionPublisher.Publish(Disk, Path.Combine(former, Name), _origin, false, Work.Quiet).Problem?.Code);
        Assert.Equal([2], Stored.Shards.Select(s => s.Id));
    }
}
