using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>What a cache has of one collection. Used in turns: <see cref="Turn"/>.</summary>
internal sealed class CachedCollection(ISegmentStore store, CacheFolder? cache, string name)
{
    private readonly HashSet<int> _shards = []; // asked for and not released
    private readonly HashSet<int> _borrowed = []; // the same, by who changes the collection
    private readonly HashSet<string> _named = []; // by manifests that were in the folder
    private HashSet<string> _needed = [];
    private CollectionManifest? _manifest;

    /// <summary>Who has it may use the collection.</summary>
    public SemaphoreSlim Turn { get; } = new(1);

    public string Name => name;

    public string Folder => Path.Combine(cache!.Path, name);

    /// <summary>
    /// Brings what is missing for <paramref name="shards"/> and those asked for before, puts <paramref name="manifest"/> in its place, and sweeps.
    /// </summary>
    public Problem? Ensure(CollectionManifest manifest, byte[] bytes, IReadOnlyCollection<int> shards, bool isBorrowed, Throttle? throttle, Work work)
    {
        cache!.Disk.CreateFolder(Folder);
        cache.CountFiles(Folder);
        HashSet<string> wanted = [.. FilesOf(manifest, [.. Wanted.Concat(shards)])];
        List<string> absent = [.. wanted.Where(file => !cache.Space.Need(PathOf(file)))];
        bool isDone = false;
        try
        {
            (string File, long Bytes)[] coming = [.. absent.Select(file => (file, store.LengthOf(name, file, work.Cancel) ?? throw Missing(file)))];
            if (cache.Space.Take([.. coming.Select(file => (PathOf(file.File), file.Bytes))]) is { } problem)
            {
                return problem;
            }

            foreach ((string file, long length) in coming)
            {
                Fetch(file, length, throttle, work);
                absent.Remove(file);
            }

            Publish(manifest, bytes);
            cache.Space.Release(_needed.Except(wanted).Select(PathOf));
            _needed = wanted;
            (isBorrowed ? _borrowed : _shards).UnionWith(shards);
            isDone = true;
            return null;
        }
        finally
        {
            if (!isDone)
            {
                absent.ForEach(file => cache.Space.Forget(PathOf(file)));
                cache.Space.Release(wanted.Except(_needed).Select(PathOf));
            }
        }
    }

    public void Release(int shard)
    {
        _shards.Remove(shard);
        LetGo();
    }

    /// <summary>Releases all that was borrowed.</summary>
    public void Return()
    {
        _borrowed.Clear();
        LetGo();
    }

    public void Discard(int shard)
    {
        if (_manifest?.AllShards.FirstOrDefault(entry => entry.Id == shard) is { } entry)
        {
            Release(shard);
            new[] { entry.Segment, entry.Codes }.OfType<string>().ToList().ForEach(file => cache!.Space.Remove(PathOf(file)));
        }
    }

    /// <summary>Brings a file that no manifest names yet, if the store has it.</summary>
    public void Bring(string file, Work work)
    {
        string path = PathOf(file);
        if (!cache!.Space.Need(path) && store.LengthOf(name, file, work.Cancel) is { } length)
        {
            cache.Disk.CreateFolder(Folder);
            if (cache.Space.Take([(path, length)]) is { } problem)
            {
                throw new ProblemException(problem);
            }

            try
            {
                Fetch(file, length, null, work);
            }
            catch
            {
                cache.Space.Forget(path);
                throw;
            }
        }

        cache.Space.Release([path]);
    }

    /// <summary>Puts a file that was made here into the store, if that does not have it.</summary>
    public void Give(string file, Work work)
    {
        cache!.CountFiles(Folder);
        using IFileReader source = cache.Disk.OpenRead(PathOf(file));
        if (store.LengthOf(name, file, work.Cancel) != source.Length)
        {
            store.Put(name, file, new MeteredReader(source, new Meter(work, $"sending {file}", source.Length)), work.Cancel);
        }
    }

    private IEnumerable<int> Wanted => _shards.Concat(_borrowed);

    private void LetGo()
    {
        if (_manifest is not null)
        {
            HashSet<int> wanted = [.. Wanted];
            HashSet<string> needed = wanted.Count == 0 ? [] : [.. FilesOf(_manifest, wanted)];
            cache!.Space.Release(_needed.Except(needed).Select(PathOf));
            _needed = needed;
        }
    }

    private static IEnumerable<string> FilesOf(CollectionManifest manifest, HashSet<int> shards) => manifest.AllShards
        .Where(shard => shards.Contains(shard.Id)).SelectMany(shard => new[] { shard.Segment, shard.Codes }).Append(manifest.Quantizer?.File).OfType<string>();

    private FileNotFoundException Missing(string file) => new($"{store.Name}/{name}/{file} is not there", file);

    private string PathOf(string file) => Path.Combine(Folder, file);

    private void Fetch(string file, long length, Throttle? throttle, Work work)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                AtomicFile.Write(
                    cache!.Disk, PathOf(file), length,
                    target => store.Get(
                        name, file,
                        new MeteredWriter(throttle is null ? target : new ThrottledWriter(target, throttle, work.Cancel), new Meter(work, $"fetching {file}", length)),
                        work.Cancel),
                    temporary => CollectionFiles.Verify(cache.Disk, temporary, file, work.Silent()));
                cache.CountFetched(length);
                return;
            }
            catch (BadFileException e)
            {
                if (attempt == 2)
                {
                    throw new BadFileException($"{store.Name}/{name}/{file}", e.Offset, e.Got, e.Expected);
                }
            }
        }
    }

    /// <summary>
    /// Puts the manifest in its place, then removes files that neither it nor the one before it names: whoever has the collection open by
    /// the one before may still open shards by it.
    /// </summary>
    private void Publish(CollectionManifest manifest, byte[] bytes)
    {
        byte[]? before = ManifestFile.ReadBytes(cache!.Disk, Folder);
        if (before is null || !before.AsSpan().SequenceEqual(bytes))
        {
            ManifestFile.Publish(cache.Disk, Folder, bytes);
        }

        HashSet<string> kept = [.. manifest.Files, .. (_manifest ?? manifest).Files];
        bool isFirst = _manifest is null; // then nobody here makes codes that no manifest names yet
        foreach (string file in cache.Disk.List(Folder).Where(file => CollectionFiles.IsContent(file) && !kept.Contains(file)))
        {
            if (isFirst || _named.Contains(file))
            {
                cache.Space.Remove(PathOf(file));
            }
        }

        _named.UnionWith(kept);
        _manifest = manifest;
    }
}
