using Signpost.Engine.Base;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Silo.S3;

namespace Signpost.Silo.Cli;

/// <summary>A collection whose shards are changed, with what has to be closed after it.</summary>
internal sealed class LayoutTarget : IDisposable
{
    private readonly ISegmentStore? _store;
    private readonly SegmentCache? _cache;

    private LayoutTarget(string name, LayoutSite site, ISegmentStore? store, SegmentCache? cache) => (Name, Site, _store, _cache) = (name, site, store, cache);

    /// <summary>Name of the collection, as the store has it.</summary>
    public string Name { get; }

    /// <summary>Where it is.</summary>
    public LayoutSite Site { get; }

    /// <summary>The collection that the settings name.</summary>
    public static LayoutTarget Of(Session session, string collection)
    {
        if (session.Get(Settings.Store) is null)
        {
            string folder = session.CollectionFolder(collection);
            return new LayoutTarget(ManifestFile.Open(FileDisk.Instance, folder).OrThrow().Name, LayoutSite.InFolder(FileDisk.Instance, folder), null, null);
        }

        ISegmentStore store = PushCommand.StoreOf(session);
        if (store.FolderOf(collection) is { } at)
        {
            return new LayoutTarget(collection, LayoutSite.InFolder(FileDisk.Instance, at), store, null);
        }

        string path = session.Get(Settings.Cache) ?? throw new ProblemException(new Problem(
            ProblemCode.InvalidArgument, "--cache", "none", "a folder for copies, since the store is no folder of this machine", "Name one with --cache."));
        if (store is S3SegmentStore bucket && !bucket.ReplacesInOneStep(session.Cancel))
        {
            Guard.Say($"warning: {store.Name} does not honour conditions of writes: let nobody else change {collection} now, nor a silo by limits");
        }

        SegmentCache cache = SegmentCache.Open(store, FileDisk.Instance, path, (long)session.Get(Settings.CacheMiB) << 20).OrThrow();
        return new LayoutTarget(collection, LayoutSite.InStore(FileDisk.Instance, store, collection, cache, null), store, cache);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cache?.Dispose();
        (_store as IDisposable)?.Dispose();
    }
}
