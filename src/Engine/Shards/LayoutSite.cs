using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>
/// Where a collection is whose shards are changed: in a folder of this machine, where they are made, or in a store that is none; then they are made in
/// the folder of a cache, which brings what they are made of, and put into the store.
/// </summary>
public sealed class LayoutSite
{
    private readonly IDisk _disk;
    private readonly string _name;
    private readonly string? _folder;
    private readonly ISegmentStore? _store;
    private readonly SegmentCache? _cache;
    private readonly Throttle? _throttle;

    private LayoutSite(IDisk disk, string name, string? folder, ISegmentStore? store, SegmentCache? cache, Throttle? throttle) =>
        (_disk, _name, _folder, _store, _cache, _throttle) = (disk, name, folder, store, cache, throttle);

    /// <summary>A collection in a folder.</summary>
    public static LayoutSite InFolder(IDisk disk, string folder) => new(disk, Path.GetFileName(folder), folder, null, null, null);

    /// <summary>A collection of a store.</summary>
    /// <param name="disk">Where the cache is, and the store where it is a folder of this machine.</param>
    /// <param name="store">The store.</param>
    /// <param name="collection">The name under which it has the collection.</param>
    /// <param name="cache">Brings files; not used where the store is a folder.</param>
    /// <param name="throttle">How fast they are fetched; null: as fast as can be.</param>
    public static LayoutSite InStore(IDisk disk, ISegmentStore store, string collection, SegmentCache cache, Throttle? throttle) =>
        store.FolderOf(collection) is { } folder ? InFolder(disk, folder) : new LayoutSite(disk, collection, null, store, cache, throttle);

    /// <summary>As <see cref="LayoutJob.Run"/>, with the newest manifest of the store and the files of the shards that go.</summary>
    /// <exception cref="BadFileException">A file of the shards that go is damaged.</exception>
    /// <exception cref="IOException">The store or the disk failed.</exception>
    public Outcome<LayoutResult> Change(Func<CollectionManifest, Outcome<LayoutChange?>> choose, long memoryLimit, Work work)
    {
        if (_folder is not null)
        {
            return LayoutJob.Run(_disk, _folder, choose, memoryLimit, null, work);
        }

        Outcome<string> folder = _cache!.Ensure(_name, [], work);
        if (folder.Problem is null && choose(ManifestFile.Open(_disk, folder.Value!).OrThrow()).Value is { } change)
        {
            folder = _cache.Borrow(_name, [.. change.Replaced.Select(shard => shard.Id)], _throttle, work);
        }

        try
        {
            return folder.Problem is { } problem ? problem : LayoutJob.Run(_disk, folder.Value!, choose, memoryLimit, _store, work);
        }
        finally
        {
            _cache.Return(_name);
        }
    }

    /// <summary>As <see cref="LayoutJob.Forget"/>.</summary>
    /// <exception cref="IOException">The store or the disk failed.</exception>
    public Outcome<CollectionManifest> Forget(Work work)
    {
        Outcome<string> folder = _folder ?? _cache!.Ensure(_name, [], work);
        return folder.Problem is { } problem ? problem : LayoutJob.Forget(_disk, folder.Value!, _store, work);
    }
}
