using System.Collections.Concurrent;
using System.Diagnostics;
using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Cluster;

/// <summary>The shards that a silo has open, of all collections of a segment store. One thread changes it, any thread may look.</summary>
/// <param name="disk">Where the files are once they are here.</param>
/// <param name="store">Where the collections are.</param>
/// <param name="cache">Brings their files to this machine.</param>
/// <param name="memoryLimit">Bytes that all shards together may keep resident.</param>
/// <param name="vectors">Where full vectors shall be.</param>
/// <param name="only">The one collection that is served; null: all.</param>
/// <param name="throttle">How fast files are fetched where there is time; null: as fast as can be.</param>
public sealed class SiloShards(
    IDisk disk, ISegmentStore store, SegmentCache cache, long memoryLimit, Residency vectors, string? only, Throttle? throttle = null) : ISiloShards, ICodesOfTrainings, IDisposable
{
    /// <summary>A store across the network is not asked for the same manifest more often.</summary>
    private static readonly TimeSpan ManifestAge = TimeSpan.FromSeconds(1);

    private readonly Lock _opening = new();
    private readonly Lock _codes = new(); // which codes are open beside those in use
    private readonly ConcurrentDictionary<string, (CollectionManifest? Manifest, long At)> _manifests = [];
    private volatile Dictionary<string, Collection> _collections = []; // replaced whole under the lock
    private volatile Dictionary<ShardId, string> _failed = []; // replaced whole by the one thread that changes

    /// <inheritdoc/>
    public IReadOnlyList<HeldShard> Held
    {
        get
        {
            var held = new List<HeldShard>();
            Dictionary<ShardId, string> failed = _failed;
            foreach ((string name, Collection collection) in _collections)
            {
                foreach (CollectionShard shard in collection.AllShards)
                {
                    string? reason = failed.GetValueOrDefault(new ShardId(name, shard.Entry.Id));
                    if (shard.Shard is { } open)
                    {
                        // Others that are open are of a training that has not committed, and perhaps never will.
                        held.Add(new HeldShard(name, shard.Entry.Id, [.. open.CodesVersions.Where(version => version <= collection.Manifest.CodesVersion)], reason));
                    }
                    else if (reason is not null)
                    {
                        held.Add(new HeldShard(name, shard.Entry.Id, [], reason));
                    }
                }
            }

            held.AddRange(failed.Where(f => !_collections.ContainsKey(f.Key.Collection)).Select(f => new HeldShard(f.Key.Collection, f.Key.Number, [], f.Value)));
            return held;
        }
    }

    /// <inheritdoc/>
    public long ResidentBytes => _collections.Values.Sum(collection => collection.Info.Memory.Resident);

    /// <summary>The manifests of the collections that are served; one that is damaged is left out.</summary>
    /// <exception cref="IOException">The store cannot be reached.</exception>
    public IReadOnlyList<CollectionManifest> Manifests(CancellationToken cancel)
    {
        var manifests = new List<CollectionManifest>();
        foreach (string name in store.Collections(cancel).Where(name => only is null || name == only))
        {
            try
            {
                if (ManifestOf(name, cancel) is { } manifest)
                {
                    manifests.Add(manifest with { Name = name }); // its name is the one that the store has it under
                }
            }
            catch (Exception e) when (e is BadFileException or UnauthorizedAccessException)
            {
                // Its map stays as it is; who opens it is told what is wrong.
            }
        }

        return manifests;
    }

    /// <summary>What each open collection was built as, by name.</summary>
    public IReadOnlyDictionary<string, string> Lineages => _collections.ToDictionary(open => open.Key, open => open.Value.Manifest.Lineage);

    /// <summary>Why <paramref name="collection"/> is not the one of a shard map that tells of <paramref name="lineage"/>; null where it is.</summary>
    public static Problem? WhyNotOf(Collection collection, string name, string lineage) => lineage.Length == 0 || collection.Manifest.Lineage == lineage
        ? null
        : new Problem(
            ProblemCode.NotFound, $"collection {name}", "one that was built anew under its name", "the one of the shard map",
            "When no silo has the former one open any more, all turn to the new one: restart those that have. Or push the former one again.");

    /// <summary>The open collection of a name, with those of its shards that are here; null before one was opened.</summary>
    public Collection? Find(string name) => _collections.GetValueOrDefault(name);

    /// <summary>The collection of a name: what a query needs to know of it, whichever shards are here.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public Collection Open(string name, Work work)
    {
        lock (_opening)
        {
            if (_collections.TryGetValue(name, out Collection? known))
            {
                return known;
            }

            string folder = cache.Ensure(name, [], work).OrThrow();
            var options = new CollectionOptions { OpenShards = false, Vectors = vectors, MemoryLimit = memoryLimit };
            Collection opened = Shards.Collection.Open(disk, folder, options, work).OrThrow();
            _collections = new Dictionary<string, Collection>(_collections) { [name] = opened };
            return opened;
        }
    }

    /// <inheritdoc/>
    public void Open(ShardId shard, string lineage, bool isUrgent, Work work) => Try([shard], () =>
    {
        Collection collection = Open(shard.Collection, work);
        if (WhyNotOf(collection, shard.Collection, lineage) is { } other)
        {
            throw new ProblemException(other);
        }

        if (collection.AllShards.All(known => known.Entry.Id != shard.Number))
        {
            _manifests.TryRemove(shard.Collection, out _); // the leader has seen a newer one
            Follow(collection, shard.Collection, work);
        }

        long need = collection.BytesOf(shard.Number);
        long have = memoryLimit - ResidentBytes;
        if (need > have)
        {
            throw new ProblemException(new Problem(
                ProblemCode.NotEnoughMemory, $"shard {shard}", $"need {need} bytes, have {have} of {memoryLimit}", "a shard that fits",
                "Give the silo more memory, or add a silo."));
        }

        cache.Ensure(shard.Collection, [shard.Number], isUrgent ? null : throttle, work).OrThrow();
        try
        {
            Shard opened = collection.OpenShard(shard.Number, work).OrThrow();
            using Query query = collection.NewQuery();
            WarmUp.Run(opened, opened.CodesVersions.DefaultIfEmpty().Max(), query, work.Cancel);
        }
        catch (BadFileException)
        {
            cache.Discard(shard.Collection, shard.Number); // the next attempt fetches it anew
            throw;
        }
    });

    /// <inheritdoc/>
    public void Close(ShardId shard)
    {
        Find(shard.Collection)?.CloseShard(shard.Number);
        cache.Release(shard.Collection, shard.Number);
        Forget([shard]);
    }

    /// <inheritdoc/>
    public void Refresh(string collection, uint codesInUse, Work work)
    {
        if (Find(collection) is not { } open)
        {
            return;
        }

        ShardId[] held = [.. open.AllShards.Where(shard => shard.IsOpen).Select(shard => new ShardId(collection, shard.Entry.Id))];
        Try(held, () => Follow(open, collection, work));
        uint newest = open.Manifest.CodesVersion;
        foreach (uint version in open.AllShards.SelectMany(shard => shard.Shard?.CodesVersions ?? []).Distinct().ToArray())
        {
            if (version != 0 && version < newest && version != codesInUse)
            {
                open.DropCodes(version); // later ones are of a training under way
            }
        }
    }

    /// <inheritdoc/>
    public Outcome<string> PrepareCodes(ShardId shard, string quantizerFile, Work work)
    {
        Collection open = Find(shard.Collection) ?? throw new IOException($"shard {shard} is not open here");
        string file = open.CodesFileOf(shard.Number, quantizerFile);
        cache.Bring(shard.Collection, quantizerFile, work);
        cache.Bring(shard.Collection, file, work);
        Outcome<string> written = open.WriteCodes(shard.Number, quantizerFile, work); // takes long where it has to be made
        if (written.Problem is not null)
        {
            return written;
        }

        cache.Give(shard.Collection, file, work);
        lock (_codes)
        {
            return open.MakeCodes(shard.Number, quantizerFile, work); // opens what has been made, unless other codes of its version are in use by now
        }
    }

    /// <inheritdoc/>
    public void DropCodes(ShardId shard, uint codesVersion)
    {
        Collection open = Find(shard.Collection) ?? throw new IOException($"shard {shard} is not open here");
        lock (_codes)
        {
            if (codesVersion > open.Manifest.CodesVersion)
            {
                open.ShardOf(shard.Number).DropCodes(codesVersion);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Collection collection in _collections.Values)
        {
            collection.Dispose();
        }
    }

    /// <summary>Opens the codes that the store's manifest names, knows its shards, and uses it from now on.</summary>
    private void Follow(Collection open, string collection, Work work)
    {
        if (ManifestOf(collection, work.Cancel) is not { } next || next.IsSame(open.Manifest) || next.Lineage != open.Manifest.Lineage)
        {
            return; // one that is gone, or was built anew under its name, is the operator's to decide on
        }

        cache.Ensure(collection, [], work).OrThrow(); // with the codes of the shards that it has
        lock (_codes)
        {
            if (open.OpenCodes(next, work) is { } problem)
            {
                throw new ProblemException(problem);
            }

            open.Use(next);
        }
    }

    private CollectionManifest? ManifestOf(string name, CancellationToken cancel)
    {
        if (_manifests.TryGetValue(name, out (CollectionManifest? Manifest, long At) read) && Stopwatch.GetElapsedTime(read.At) < ManifestAge)
        {
            return read.Manifest;
        }

        long now = Stopwatch.GetTimestamp();
        CollectionManifest? manifest = store.ReadManifest(name, cancel) is { } bytes
            ? ManifestFile.Parse(bytes, $"{store.Name}/{name}/{CollectionManifest.FileName}")
            : null;
        _manifests[name] = (manifest, now);
        return manifest;
    }

    /// <summary>Does something for <paramref name="shards"/>; why it cannot be done is kept for <see cref="Held"/>.</summary>
    private void Try(ShardId[] shards, Action action)
    {
        try
        {
            action();
            Forget(shards);
        }
        catch (Exception e) when (e is IOException or BadFileException or ProblemException or UnauthorizedAccessException)
        {
            var failed = new Dictionary<ShardId, string>(_failed);
            Array.ForEach(shards, shard => failed[shard] = e.Message);
            _failed = failed;
        }
    }

    private void Forget(ShardId[] shards)
    {
        if (shards.Any(_failed.ContainsKey))
        {
            _failed = _failed.Where(f => !shards.Contains(f.Key)).ToDictionary();
        }
    }
}
