using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>An open collection: its shards, and the quantizer whose codes they are searched by. Thread-safe.</summary>
/// <remarks>
/// Shards come and go while it is searched: <see cref="OpenShard"/>, <see cref="CloseShard"/>. So do codes: <see cref="MakeCodes"/> or
/// <see cref="OpenCodes"/> puts those of another version beside those in use, <see cref="Use"/> makes them the collection's,
/// <see cref="DropCodes"/> lets the old ones go. Which version a search uses is the searcher's to say (<see cref="Shard.Snapshot"/>).
/// A shard that is opened at any moment of this has the codes in use and those that <see cref="OpenCodes"/> opened to be used next.
/// </remarks>
public sealed class Collection : IDisposable
{
    private readonly Lock _reading = new();
    private readonly CollectionPlace _place;
    private readonly CollectionCell _cell;
    private readonly ShardOpening _opening;
    private PublishedQuantizer? _read; // the last one read for codes that are not in use yet

    private Collection(CollectionParts parts)
    {
        _place = parts.Place;
        _cell = new CollectionCell(parts.Place, parts.State);
        _opening = new ShardOpening(parts.Place, _cell);
        CollectionManifest manifest = parts.State.Manifest;
        Queries = new QueryPool(manifest.Dim, manifest.Type, manifest.Metric);
    }

    /// <summary>What the collection consists of.</summary>
    public CollectionManifest Manifest => _cell.State.Manifest;

    /// <summary>The quantizer of all shards; null where there are no codes.</summary>
    public IQuantizer? Quantizer => _cell.State.InUse?.Quantizer.Quantizer;

    /// <summary>The shards in the order of their slots, those that are not open among them.</summary>
    public IReadOnlyList<CollectionShard> Shards => _cell.State.Shards;

    /// <summary>The shards, and those of former layouts that are open or can be opened; several may share an open <see cref="Shard"/>.</summary>
    public IReadOnlyList<CollectionShard> AllShards => _cell.State.All;

    /// <summary>What the collection is and takes, codes that are not in use yet or any more included.</summary>
    public CollectionInfo Info
    {
        get
        {
            CollectionState now = _cell.State;
            CollectionManifest manifest = now.Manifest;
            return new CollectionInfo(
                manifest.Name, manifest.Dim, manifest.Type, manifest.Metric, manifest.R, manifest.Quantizer?.Info, now.Shards.Length, now.Shards.Count(shard => shard.IsOpen),
                manifest.Count, now.Memory);
        }
    }

    /// <summary>
    /// Opens the collection of <paramref name="folder"/>. Refused: a folder without one; memory that does not suffice, before
    /// anything is loaded. A shard that is damaged or missing is left out, with the reason, unless all are required.
    /// </summary>
    /// <exception cref="BadFileException">The manifest or the quantizer is damaged; or a shard, where all are required.</exception>
    public static Outcome<Collection> Open(IDisk disk, string folder, CollectionOptions options, Work work)
    {
        Outcome<CollectionParts> opened = CollectionOpener.Open(disk, folder, options, work);
        return opened.Problem is null ? new Collection(opened.Value!) : opened.Problem;
    }

    /// <summary>Queries for the vectors of this collection, to be rented.</summary>
    public QueryPool Queries { get; }

    /// <summary>A query for the vectors of this collection, to be bound and used again and again.</summary>
    public Query NewQuery()
    {
        CollectionManifest manifest = Manifest;
        return new(manifest.Dim, manifest.Type, manifest.Metric);
    }

    /// <summary>The shard of a number in the manifest, if it is open.</summary>
    /// <exception cref="IOException">There is no such shard, or it is not open.</exception>
    public Shard ShardOf(int number)
    {
        CollectionShard? shard = _cell.State.Find(number);
        return shard?.Shard ?? throw new IOException(shard?.Reason ?? $"collection {Manifest.Name} has no shard {number}");
    }

    /// <summary>
    /// Bytes that a shard keeps resident while it is open with the codes in use, by the manifest alone: no file is read. None where its segment
    /// is open for another shard.
    /// </summary>
    /// <exception cref="IOException">There is no such shard.</exception>
    public long BytesOf(int number)
    {
        CollectionState now = _cell.State;
        ManifestShard entry = now.Find(number)?.Entry ?? throw new IOException($"collection {now.Manifest.Name} has no shard {number}");
        bool isShared = now.All.Any(shard => shard.IsOpen && shard.Entry.Segment == entry.Segment && shard.Entry.Id != number);
        return isShared ? 0 : now.Manifest.MemoryOf(entry, _place.Options.Vectors).Resident;
    }

    /// <summary>
    /// Opens a shard; nothing happens where it is open. Others are searched, opened after it and closed meanwhile. What failed may be
    /// tried again; <see cref="Shards"/> tells why it is not open.
    /// </summary>
    /// <returns>The shard; or why not: no such shard, no such file, or memory that does not suffice, before anything is loaded.</returns>
    /// <exception cref="BadFileException">Its segment, or codes that it must have, are damaged, foreign or missing.</exception>
    /// <exception cref="ObjectDisposedException">The collection has been disposed.</exception>
    public Outcome<Shard> OpenShard(int number, Work work) => _opening.Open(number, work);

    /// <summary>
    /// Closes a shard to new searches; those that run end well, and the last of them gives the memory back. Nothing happens where it is
    /// not open, or not open yet. A segment that is open for another shard too stays.
    /// </summary>
    public void CloseShard(int number) => _cell.Close(number, "it has been closed here")?.Dispose();

    /// <summary>
    /// Opens the codes of a shard by the published quantizer <paramref name="quantizerFile"/> beside those in use, and makes their file first
    /// where it is not there and whole. Nothing happens where they are open already.
    /// </summary>
    /// <param name="number">The shard.</param>
    /// <param name="quantizerFile">Name of the quantizer's file in the collection's folder.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    /// <returns>The name of the codes' file; or why not: memory that does not suffice, before anything is loaded.</returns>
    /// <exception cref="BadFileException">The quantizer is damaged or of another shape.</exception>
    /// <exception cref="IOException">There is no such shard, or it is not open.</exception>
    public Outcome<string> MakeCodes(int number, string quantizerFile, Work work) => MakeCodes(number, quantizerFile, work, (shard, file, quantizer) =>
        shard.MakeCodes(_place.Disk, _place.Folder, file, quantizer, work));

    /// <summary>As <see cref="MakeCodes"/>, but that the codes are not opened: only their file is made.</summary>
    public Outcome<string> WriteCodes(int number, string quantizerFile, Work work) => MakeCodes(number, quantizerFile, work, (shard, file, quantizer) =>
        shard.WriteCodes(_place.Disk, _place.Folder, file, quantizer, work));

    /// <summary>Name of the file with the codes of a shard by a quantizer.</summary>
    /// <exception cref="IOException">There is no such shard.</exception>
    internal string CodesFileOf(int number, string quantizerFile) => CollectionFiles.Codes(
        _cell.State.Find(number)?.Entry.Segment ?? throw new IOException($"collection {Manifest.Name} has no shard {number}"), quantizerFile);

    /// <summary>
    /// Opens the codes that <paramref name="next"/> names, for every open shard, beside those in use; all of them or none. Nothing
    /// happens where they are open already. A shard that is opened later has them too, until they are dropped or others come. From now on
    /// shards that only <paramref name="next"/> names can be opened as well.
    /// </summary>
    /// <returns>Why not: another collection, or memory that does not suffice, before anything is loaded; null when they are open.</returns>
    /// <exception cref="BadFileException">A file is missing, damaged or foreign.</exception>
    public Problem? OpenCodes(CollectionManifest next, Work work)
    {
        if (Manifest.Lineage != next.Lineage)
        {
            return new Problem(
                ProblemCode.NotSupported, $"collection {Manifest.Name}", "other vectors or graphs in its folder", "new codes or another layout alone",
                "Open the collection again.");
        }

        _cell.Know(next);

        if (next.Quantizer is not { } entry)
        {
            return null;
        }

        PublishedQuantizer quantizer = Published(entry.File);
        if (CheckComing(quantizer.Entry) is { } problem)
        {
            return problem;
        }

        _place.MustBe(quantizer, entry);
        CollectionCodes? before = _cell.Expect(new CollectionCodes(next, quantizer));
        try
        {
            foreach (CollectionShard shard in AllShards.Where(shard => shard.IsOpen))
            {
                OpenCodesOf(shard, next, quantizer, work);
            }

            return null;
        }
        catch
        {
            _cell.Expect(before);
            DropUnused(entry.Info.Version);
            throw;
        }
    }

    /// <summary>Makes <paramref name="next"/>, whose codes are open, the manifest of the collection.</summary>
    public void Use(CollectionManifest next) =>
        _cell.Use(next, next.Quantizer is null ? null : new CollectionCodes(next, Published(next.Quantizer.File)));

    /// <summary>Lets the codes of a version go, in every shard; searches that hold them end well.</summary>
    public void DropCodes(uint version)
    {
        if (_cell.State.Coming?.Version == version)
        {
            _cell.Expect(null);
        }

        foreach (Shard shard in _cell.State.Open)
        {
            shard.DropCodes(version);
        }
    }

    /// <summary>Why <paramref name="more"/> bytes beside what is open are too many; null when they are not.</summary>
    internal Problem? CheckMemory(long more, string mend) => _cell.CheckMemory(more, mend);

    /// <summary>Closes all shards; searches that run end well.</summary>
    public void Dispose()
    {
        foreach (Shard shard in _cell.Close())
        {
            shard.Dispose();
        }

        _place.Scratch.Dispose();
        Queries.Dispose();
    }

    private Outcome<string> MakeCodes(int number, string quantizerFile, Work work, Action<Shard, string, PublishedQuantizer> make)
    {
        work.Cancel.ThrowIfCancellationRequested();
        Shard shard = ShardOf(number);
        PublishedQuantizer quantizer = Published(quantizerFile);
        if (CheckComing(quantizer.Entry) is { } problem)
        {
            return problem;
        }

        string file = CodesFileOf(number, quantizerFile);
        make(shard, file, quantizer);
        return file;
    }

    private void OpenCodesOf(CollectionShard shard, CollectionManifest next, PublishedQuantizer quantizer, Work work)
    {
        try
        {
            if (next.AllShards.FirstOrDefault(entry => entry.Id == shard.Entry.Id)?.Codes is { } file)
            {
                shard.Shard!.OpenCodes(_place.Disk, _place.Folder, file, quantizer, work);
            }
        }
        catch (ObjectDisposedException)
        {
            // It has been closed meanwhile.
        }
    }

    private void DropUnused(uint version)
    {
        if (version != Manifest.CodesVersion)
        {
            DropCodes(version);
        }
    }

    /// <summary>The one object of a quantizer that all shards share, so that a query's table serves all of them.</summary>
    private PublishedQuantizer Published(string file)
    {
        lock (_reading)
        {
            if (_cell.State.Codes.FirstOrDefault(codes => codes.Quantizer.File == file) is { } known)
            {
                return known.Quantizer;
            }

            if (_read?.File != file)
            {
                PublishedQuantizer read = PublishedQuantizer.Read(_place.Disk, _place.Folder, file);
                _place.MustFit(read, Manifest);
                _read = read;
            }

            return _read;
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

        long more = _cell.State.Open.Sum(shard => shard.HasCodes(entry.Info.Version) ? 0 : shard.Count * entry.Info.CodeBytes);
        return CheckMemory(more, "Give it more memory, or stop it, and train with fewer subspaces.");
    }
}
