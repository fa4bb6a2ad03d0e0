using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>
/// Brings the files that shards need from a segment store into a folder of this machine, where <see cref="Collection.Open"/> finds them: a
/// folder per collection with its manifest, its quantizer, and segment and codes of some shards.
/// </summary>
/// <remarks>
/// A file gets its name when it is complete and its checksums are right, so a process may be killed at any moment: what has a name can be
/// used, what has none is removed at the next start. The manifest of the folder is replaced when all that is needed by it is there. Files
/// stay when their shard is released, until their bytes are wanted. Where the store is a folder of this machine there is nothing to bring:
/// see <see cref="Direct"/>. Thread-safe; calls for one collection follow one another, so nothing is fetched twice.
/// </remarks>
public sealed class SegmentCache : IDisposable
{
    private const string LockName = "cache.lock";

    /// <summary>A manifest that changes more often than this while its files are fetched changes for ever.</summary>
    private const int MostAttempts = 5;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, CachedCollection> _collections = [];
    private readonly ISegmentStore _store;
    private readonly CacheFolder? _folder;
    private readonly IDisposable? _held;

    private SegmentCache(ISegmentStore store, CacheFolder? folder, IDisposable? held)
    {
        _store = store;
        _folder = folder;
        _held = held;
    }

    /// <summary>Bytes that the files of the cache take; 0 where nothing is brought.</summary>
    public long Bytes => _folder?.Space.Bytes ?? 0;

    /// <summary>Files and bytes that were fetched so far; none where nothing is brought.</summary>
    public (long Files, long Bytes) Fetched => _folder?.Fetched ?? default;

    /// <summary>No cache: collections are opened where <paramref name="store"/> has them, which is a folder of this machine.</summary>
    public static SegmentCache Direct(ISegmentStore store) => new(store, null, null);

    /// <summary>A cache in <paramref name="folder"/>, which is made where it is missing. Refused: a folder that another cache has open.</summary>
    /// <param name="store">Where the files come from.</param>
    /// <param name="disk">Where they go.</param>
    /// <param name="folder">The cache's own folder.</param>
    /// <param name="limitBytes">Most bytes that the files may take.</param>
    public static Outcome<SegmentCache> Open(ISegmentStore store, IDisk disk, string folder, long limitBytes)
    {
        disk.CreateFolder(folder);
        if (disk.TryLock(Path.Combine(folder, LockName)) is not { } held)
        {
            return new Problem(
                ProblemCode.Busy, "cache", $"{folder}, which another process uses", "a folder of its own for each silo", "Choose another folder.");
        }

        return new SegmentCache(store, new CacheFolder(disk, folder, limitBytes), held);
    }

    /// <summary>
    /// Makes sure that the folder has the newest manifest of <paramref name="collection"/>, its quantizer, and the files of
    /// <paramref name="shards"/> and of all that were asked for before and not released.
    /// </summary>
    /// <returns>The collection's folder; or why not: no such collection or shard, or space that does not suffice, before anything is fetched.</returns>
    /// <exception cref="BadFileException">What the store has is damaged, or came damaged twice.</exception>
    /// <exception cref="IOException">The store or the disk failed; what was complete stays, and the call may be repeated.</exception>
    public Outcome<string> Ensure(string collection, IReadOnlyCollection<int> shards, Work work) => Ensure(collection, shards, null, work);

    /// <summary>As the other overload, bringing what is missing no faster than <paramref name="throttle"/> lets it.</summary>
    public Outcome<string> Ensure(string collection, IReadOnlyCollection<int> shards, Throttle? throttle, Work work) =>
        Ensure(collection, shards, isBorrowed: false, throttle, work);

    /// <summary>
    /// As <see cref="Ensure(string, IReadOnlyCollection{int}, Throttle?, Work)"/>, for who changes the collection: the files of these shards stay until
    /// <see cref="Return"/>, whether or not somebody else asks for the shards or releases them.
    /// </summary>
    public Outcome<string> Borrow(string collection, IReadOnlyCollection<int> shards, Throttle? throttle, Work work) =>
        Ensure(collection, shards, isBorrowed: true, throttle, work);

    /// <summary>Ends <see cref="Borrow"/>, of all shards.</summary>
    public void Return(string collection) => Change(collection, cached => cached.Return());

    private Outcome<string> Ensure(string collection, IReadOnlyCollection<int> shards, bool isBorrowed, Throttle? throttle, Work work)
    {
        CachedCollection cached = Of(collection);
        cached.Turn.Wait(work.Cancel);
        try
        {
            for (int attempt = 1; ; attempt++)
            {
                byte[]? manifest = _store.ReadManifest(collection, work.Cancel);
                if (manifest is null)
                {
                    return new Problem(
                        ProblemCode.NotFound, "collection", $"{collection} in {_store.Name}", "a collection of the store", "Check the name, or push the collection.");
                }

                try
                {
                    return Ensure(cached, manifest, shards, isBorrowed, throttle, work);
                }
                catch (FileNotFoundException e)
                {
                    // A training that ended meanwhile replaced the manifest and removed files that the old one names.
                    if (attempt == MostAttempts || manifest.AsSpan().SequenceEqual(_store.ReadManifest(collection, work.Cancel)))
                    {
                        throw new BadFileException($"{_store.Name}/{collection}/{e.FileName}", 0, "no file", "the file that the manifest names");
                    }
                }
            }
        }
        finally
        {
            cached.Turn.Release();
        }
    }

    /// <summary>
    /// Brings a file that no manifest names yet, of a training under way, unless it is here; where the store does not have it either, nothing
    /// happens. It goes when its bytes are wanted and no manifest has named it by then.
    /// </summary>
    /// <exception cref="ProblemException">The space does not suffice.</exception>
    public void Bring(string collection, string file, Work work) => Change(collection, cached => cached.Bring(file, work));

    /// <summary>Puts a file that a training made here into the store, unless the store has it.</summary>
    public void Give(string collection, string file, Work work) => Change(collection, cached => cached.Give(file, work));

    /// <summary>Needs a shard no more: its files go when their bytes are wanted. What is open of them stays open.</summary>
    public void Release(string collection, int shard) => Change(collection, cached => cached.Release(shard));

    /// <summary>
    /// Removes the files of a shard that turned out damaged after they had been fetched; it is to be asked for again. Where nothing is
    /// brought nothing is removed: a store's own files are not the cache's to judge.
    /// </summary>
    public void Discard(string collection, int shard) => Change(collection, cached => cached.Discard(shard));

    /// <summary>Lets the folder go; its files stay for the next process.</summary>
    public void Dispose() => _held?.Dispose();

    private Outcome<string> Ensure(CachedCollection cached, byte[] bytes, IReadOnlyCollection<int> shards, bool isBorrowed, Throttle? throttle, Work work)
    {
        CollectionManifest manifest = ManifestFile.Parse(bytes, $"{_store.Name}/{cached.Name}/{CollectionManifest.FileName}");
        if (shards.Except(manifest.AllShards.Select(shard => shard.Id)).ToList() is { Count: > 0 } none)
        {
            return new Problem(ProblemCode.NotFound, "shard", string.Join(", ", none), $"a shard of collection {cached.Name}", "Name one that its manifest has.");
        }

        if (_folder is null)
        {
            return _store.FolderOf(cached.Name) ?? throw new IOException($"{_store.Name} has no folder on this machine: a cache must fetch its files");
        }

        return cached.Ensure(manifest, bytes, shards, isBorrowed, throttle, work) is { } problem ? problem : cached.Folder;
    }

    private void Change(string collection, Action<CachedCollection> change)
    {
        if (_folder is null)
        {
            return; // the store's folder is where everything is
        }

        CachedCollection cached = Of(collection);
        cached.Turn.Wait();
        try
        {
            change(cached);
        }
        finally
        {
            cached.Turn.Release();
        }
    }

    private CachedCollection Of(string collection)
    {
        Check.That(CollectionManifest.IsName(collection));
        lock (_lock)
        {
            if (!_collections.TryGetValue(collection, out CachedCollection? cached))
            {
                _collections[collection] = cached = new CachedCollection(_store, _folder, collection);
            }

            return cached;
        }
    }
}
