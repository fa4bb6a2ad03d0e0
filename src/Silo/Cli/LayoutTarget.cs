using Signpost.Engine.Base;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;

namespace Signpost.Silo.Cli;

/// <summary>A collection whose shards are changed: in its folder, or in a store that is no folder, through the copies of a cache.</summary>
internal sealed class LayoutTarget : IDisposable
{
    private readonly string _folder;
    private readonly ISegmentStore? _store; // null where the folder is where the collection is
    private readonly SegmentCache? _cache;

    private LayoutTarget(string name, string folder, ISegmentStore? store, SegmentCache? cache) =>
        (Name, _folder, _store, _cache) = (name, folder, store, cache);

    /// <summary>Name of the collection, as the store has it.</summary>
    public string Name { get; }

    /// <summary>The collection that the settings name.</summary>
    public static LayoutTarget Of(Session session, string collection)
    {
        if (session.Get(Settings.Store) is null)
        {
            string folder = session.CollectionFolder(collection);
            return new LayoutTarget(ManifestFile.Open(FileDisk.Instance, folder).OrThrow().Name, folder, null, null);
        }

        ISegmentStore store = PushCommand.StoreOf(session);
        if (store.FolderOf(collection) is { } at)
        {
            return new LayoutTarget(collection, at, null, null);
        }

        string cache = session.Get(Settings.Cache) ?? throw new ProblemException(new Problem(
            ProblemCode.InvalidArgument, "--cache", "none", "a folder for copies, since the store is no folder of this machine", "Name one with --cache."));
        return new LayoutTarget(
            collection, Path.Combine(cache, collection), store, SegmentCache.Open(store, FileDisk.Instance, cache, (long)session.Get(Settings.CacheMiB) << 20).OrThrow());
    }

    /// <summary>Changes its shards.</summary>
    public LayoutResult Change(Func<CollectionManifest, Outcome<LayoutChange?>> choose, long memoryLimit, Work work)
    {
        Fetch([], work);
        if (_cache is not null && choose(ManifestFile.Open(FileDisk.Instance, _folder).OrThrow()).Value is { } change)
        {
            Fetch([.. change.Replaced.Select(shard => shard.Id)], work);
        }

        return LayoutJob.Run(FileDisk.Instance, _folder, choose, memoryLimit, _store, work).OrThrow();
    }

    /// <summary>Removes the shards of former layouts and their files.</summary>
    public CollectionManifest Forget(Work work)
    {
        Fetch([], work);
        return LayoutJob.Forget(FileDisk.Instance, _folder, _store, work).OrThrow();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cache?.Dispose();
        (_store as IDisposable)?.Dispose();
    }

    private void Fetch(int[] shards, Work work) => _cache?.Ensure(Name, shards, work).OrThrow();
}
