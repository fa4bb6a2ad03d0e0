using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>A shard of an open collection.</summary>
/// <param name="Entry">What the manifest says of it.</param>
/// <param name="Shard">The shard; null where it could not be opened.</param>
/// <param name="Reason">Why it could not be opened; null where it could.</param>
public sealed record CollectionShard(ManifestShard Entry, Shard? Shard, string? Reason)
{
    /// <summary>Slots that it owns.</summary>
    public SlotRange Slots => new(Entry.SlotFrom, Entry.SlotTo);
}

/// <summary>An open collection: its shards, and the quantizer whose codes they are searched by. Thread-safe.</summary>
/// <remarks>
/// Its codes can be replaced while it is searched: <see cref="MakeCodes"/> or <see cref="OpenCodes"/> puts those of another version beside
/// those in use, <see cref="Use"/> makes them the collection's, <see cref="DropCodes"/> lets the old ones go. Which version a search
/// uses is the searcher's to say (<see cref="Shard.Snapshot"/>).
/// </remarks>
public sealed class Collection : IDisposable
{
    private readonly Lock _change = new();
    private readonly IDisk _disk;
    private readonly string _folder;
    private readonly long _memoryLimit;
    private readonly SearchScratchPool _scratch;
    private readonly Dictionary<int, Shard> _open;
    private PublishedQuantizer? _coming; // the last one read for codes that are not in use yet
    private volatile State _state;

    private Collection(IDisk disk, string folder, CollectionOptions options, CollectionParts parts)
    {
        _disk = disk;
        _folder = folder;
        _memoryLimit = options.MemoryLimit;
        _scratch = parts.Scratch;
        _open = parts.Shards.Where(s => s.Shard is not null).ToDictionary(s => s.Entry.Id, s => s.Shard!);
        _state = new State(parts.Manifest, parts.Quantizer, parts.Shards);
    }

    /// <summary>What the collection consists of.</summary>
    public CollectionManifest Manifest => _state.Manifest;

    /// <summary>The quantizer of all shards; null where there are no codes.</summary>
    public IQuantizer? Quantizer => _state.Quantizer;

    /// <summary>The shards in the order of their slots, those that could not be opened among them.</summary>
    public IReadOnlyList<CollectionShard> Shards => _state.Shards;

    /// <summary>What the collection is and takes, codes that are not in use yet or any more included.</summary>
    public CollectionInfo Info
    {
        get
        {
            (CollectionManifest manifest, _, CollectionShard[] shards) = _state;
            return new CollectionInfo(
                manifest.Name, manifest.Dim, manifest.Type, manifest.Metric, manifest.R, manifest.Quantizer?.Info, shards.Length, _open.Count,
                manifest.Count, Memory);
        }
    }

    private SegmentMemory Memory => _open.Values.Aggregate(default(SegmentMemory), (sum, shard) => sum + shard.Memory);

    /// <summary>
    /// Opens the collection of <paramref name="folder"/>. Refused: a folder without one; memory that does not suffice, before
    /// anything is loaded. A shard that is damaged or missing is left out, with the reason, unless all are required.
    /// </summary>
    /// <exception cref="BadFileException">The manifest or the quantizer is damaged; or a shard, where all are required.</exception>
    public static Outcome<Collection> Open(IDisk disk, string folder, CollectionOptions options, Work work)
    {
        Outcome<CollectionParts> opened = CollectionOpener.Open(disk, folder, options, work);
        return opened.Problem is null ? new Collection(disk, folder, options, opened.Value!) : opened.Problem;
    }

    /// <summary>A query for the vectors of this collection, to be bound and used again and again.</summary>
    public Query NewQuery()
    {
        CollectionManifest manifest = Manifest;
        return new(manifest.Dim, manifest.Type, manifest.Metric);
    }

    /// <summary>The shard of a number in the manifest, if it is open.</summary>
    /// <exception cref="IOException">There is no such shard, or it could not be opened.</exception>
    public Shard ShardOf(int number) => _open.TryGetValue(number, out Shard? shard) ? shard : throw NotOpen(number);

    /// <summary>
    /// Opens the codes of a shard by the published quantizer <paramref name="quantizerFile"/> beside those in use, and makes their file first
    /// where it is not there and whole. Nothing happens where they are open already.
    /// </summary>
    /// <param name="number">The shard.</param>
    /// <param name="quantizerFile">Name of the quantizer's file in the collection's folder.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    /// <returns>The name of the codes' file; or why not: memory that does not suffice, before anything is loaded.</returns>
    /// <exception cref="BadFileException">The quantizer is damaged or of another shape.</exception>
    /// <exception cref="IOException">There is no such shard, or it could not be opened.</exception>
    public Outcome<string> MakeCodes(int number, string quantizerFile, Work work)
    {
        Shard shard = ShardOf(number);
        PublishedQuantizer quantizer = Coming(quantizerFile);
        if (CheckComing(quantizer.Entry) is { } problem)
        {
            return problem;
        }

        string file = CollectionFiles.Codes(number, Shards.First(s => s.Entry.Id == number).Entry.Segment, quantizerFile);
        shard.MakeCodes(_disk, _folder, file, quantizer, work);
        return file;
    }

    /// <summary>
    /// Opens the codes that <paramref name="next"/> names, for every open shard, beside those in use; all of them or none. Nothing
    /// happens where they are open already.
    /// </summary>
    /// <returns>Why not: another collection, or memory that does not suffice, before anything is loaded; null when they are open.</returns>
    /// <exception cref="BadFileException">A file is missing, damaged or foreign.</exception>
    public Problem? OpenCodes(CollectionManifest next, Work work)
    {
        if (!Manifest.IsSameButCodes(next))
        {
            return new Problem(
                ProblemCode.NotSupported, $"collection {Manifest.Name}", "other vectors or graphs in its folder", "new codes alone",
                "Open the collection again.");
        }

        if (next.Quantizer is not { } entry)
        {
            return null;
        }

        PublishedQuantizer quantizer = Coming(entry.File);
        if (CheckComing(quantizer.Entry) is { } problem)
        {
            return problem;
        }

        CollectionOpener.MustBe(quantizer, entry, _folder);
        try
        {
            foreach (ManifestShard shard in next.Shards)
            {
                _open.GetValueOrDefault(shard.Id)?.OpenCodes(_disk, _folder, shard.Codes!, quantizer, work);
            }

            return null;
        }
        catch
        {
            DropUnused(entry.Info.Version);
            throw;
        }
    }

    /// <summary>Makes <paramref name="next"/>, whose codes are open, the manifest of the collection.</summary>
    public void Use(CollectionManifest next)
    {
        lock (_change)
        {
            State now = _state;
            CollectionShard[] shards = [.. now.Shards.Zip(next.Shards, (shard, entry) => shard with { Entry = entry })];
            _state = new State(next, next.Quantizer is null ? null : Coming(next.Quantizer.File).Quantizer, shards);
        }
    }

    /// <summary>Lets the codes of a version go, in every shard; searches that hold them end well.</summary>
    public void DropCodes(uint version)
    {
        foreach (Shard shard in _open.Values)
        {
            shard.DropCodes(version);
        }
    }

    /// <summary>Why <paramref name="more"/> bytes beside what is open are too many; null when they are not.</summary>
    internal Problem? CheckMemory(long more, string mend) =>
        CollectionOpener.CheckMemory(_open.Values.Sum(shard => shard.Memory.Resident) + more, _memoryLimit, Manifest.Name, mend);

    /// <summary>Closes all shards; searches that run end well.</summary>
    public void Dispose()
    {
        foreach (Shard shard in _open.Values)
        {
            shard.Dispose();
        }

        _scratch.Dispose();
    }

    private IOException NotOpen(int number) =>
        new(Shards.FirstOrDefault(shard => shard.Entry.Id == number)?.Reason ?? $"collection {Manifest.Name} has no shard {number}");

    private void DropUnused(uint version)
    {
        if (version != Manifest.CodesVersion)
        {
            DropCodes(version);
        }
    }

    /// <summary>The one object of a quantizer that all shards share, so that a query's table serves all of them.</summary>
    private PublishedQuantizer Coming(string file)
    {
        lock (_change)
        {
            if (_coming?.File != file)
            {
                PublishedQuantizer read = PublishedQuantizer.Read(_disk, _folder, file);
                CollectionOpener.MustFit(read, Path.Combine(_folder, file), Manifest);
                _coming = read;
            }

            return _coming;
        }
    }

    /// <summary>Why codes of <paramref name="entry"/> cannot be opened beside those that are.</summary>
    private Problem? CheckComing(ManifestQuantizer entry)
    {
        if (Manifest.Quantizer is { } used && used.Info.Version == entry.Info.Version && used.File != entry.File)
        {
            return new Problem(
                ProblemCode.NotSupported, $"collection {Manifest.Name}", $"another quantizer of version {entry.Info.Version}, the one in use",
                "a version of its own", "Open the collection again.");
        }

        long more = _open.Values.Sum(shard => shard.HasCodes(entry.Info.Version) ? 0 : shard.Count * entry.Info.CodeBytes);
        return CheckMemory(more, "Give it more memory, or stop it, and train with fewer subspaces.");
    }

    private sealed record State(CollectionManifest Manifest, IQuantizer? Quantizer, CollectionShard[] Shards);
}
