using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>
/// A shard that is open for search: a segment, and beside it the codes of the quantizers that are in use: one, or two while a new
/// one takes over. Whoever searches holds a <see cref="Shards.Snapshot"/> of the segment with the codes of one version. What is closed
/// or dropped is freed by the last of them, so nothing is unmapped under a running search and nobody waits.
/// </summary>
public sealed unsafe class Shard : IDisposable
{
    private readonly Lock _change = new();
    private readonly Segment _segment;
    private readonly SearchScratchPool _scratch;
    private readonly ShardView _bare;
    private volatile ShardView[] _views; // replaced whole under the lock; the first has no codes; none once the shard is closed

    private Shard(Segment segment, SearchScratchPool scratch)
    {
        _segment = segment;
        _scratch = scratch;
        _bare = new ShardView(segment.View(), 0, null, 0, segment.Dispose);
        _views = [_bare];
    }

    /// <summary>Bytes that the shard takes, all codes that are open included.</summary>
    public SegmentMemory Memory => _segment.Memory with { Codes = _views.Sum(view => view.CodesBytes) };

    /// <summary>Vectors in the segment: the shard's, and those of shards that share it.</summary>
    public long Count => _segment.Info.Count;

    /// <summary>Slots of the segment.</summary>
    internal SlotRange Slots => new(_segment.Info.SlotFrom, _segment.Info.SlotTo);

    /// <summary>The trainings whose codes are open; 0, the shard without codes, is always among them, unless it is closed.</summary>
    public IReadOnlyList<uint> CodesVersions => [.. _views.Select(view => view.CodesVersion)];

    /// <summary>Whether codes of a version are open.</summary>
    internal bool HasCodes(uint version) => _views.Any(view => view.CodesVersion == version);

    /// <summary>Whether the memory has been given back.</summary>
    internal bool IsFreed => _bare.IsFreed;

    /// <summary>Opens and verifies the segment of <paramref name="entry"/>, without codes. Refused: a missing file.</summary>
    /// <param name="disk">Where.</param>
    /// <param name="folder">Folder of the collection.</param>
    /// <param name="manifest">Manifest of the collection.</param>
    /// <param name="entry">The shard in <paramref name="manifest"/>.</param>
    /// <param name="load">How to open the segment.</param>
    /// <param name="scratch">Scratch of searches, shared with other shards; outlives this.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    /// <exception cref="BadFileException">Cut, flipped, foreign, or not the file that the manifest means.</exception>
    internal static Outcome<Shard> Open(
        IDisk disk, string folder, CollectionManifest manifest, ManifestShard entry, SegmentLoad load, SearchScratchPool scratch, Work work)
    {
        string path = Path.Combine(folder, entry.Segment);
        Outcome<Segment> opened = Segment.Open(disk, path, load, work);
        if (opened.Problem is not null)
        {
            return opened.Problem;
        }

        try
        {
            manifest.MustMatch(entry, path, opened.Value!.Info);
            return new Shard(opened.Value!, scratch);
        }
        catch
        {
            opened.Value!.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The shard as it is now, with the codes of one version or none, for one search or several; to be disposed on the thread that
    /// asked for it. Where there are no codes of that version <see cref="Shards.Snapshot.Validate"/> says so.
    /// </summary>
    /// <param name="codesVersion">Number of the training; 0: no codes.</param>
    /// <exception cref="ObjectDisposedException">The shard has been disposed.</exception>
    public Snapshot Snapshot(uint codesVersion)
    {
        foreach (ShardView view in _views)
        {
            if (view.CodesVersion == codesVersion && view.TryHold())
            {
                return new Snapshot(view, _segment, _scratch, codesVersion);
            }
        }

        return _views.Length > 0 && _bare.TryHold()
            ? new Snapshot(_bare, _segment, _scratch, codesVersion)
            : throw new ObjectDisposedException(nameof(Shard), $"{_segment.Path} has been closed");
    }

    /// <summary>Opens the codes in <paramref name="file"/> beside those that are open; nothing happens where they are open already.</summary>
    /// <exception cref="BadFileException">Missing, cut, flipped, foreign, or not this shard's codes by <paramref name="quantizer"/>.</exception>
    internal void OpenCodes(IDisk disk, string folder, string file, PublishedQuantizer quantizer, Work work) =>
        Add(file, quantizer, () => ShardCodes.Load(disk, Path.Combine(folder, file), _segment, quantizer, work));

    /// <summary>As <see cref="OpenCodes"/>; a file that is missing or not these codes is made first.</summary>
    internal void MakeCodes(IDisk disk, string folder, string file, PublishedQuantizer quantizer, Work work) =>
        Add(file, quantizer, () => ShardCodes.LoadOrMake(disk, Path.Combine(folder, file), _segment, quantizer, work));

    /// <summary>Makes the file of codes that <see cref="OpenCodes"/> opens, where it is missing or not whole.</summary>
    internal void WriteCodes(IDisk disk, string folder, string file, PublishedQuantizer quantizer, Work work)
    {
        if (_views.Any(view => view.CodesFile == file))
        {
            return;
        }

        ObjectDisposedException.ThrowIf(!_bare.TryHold(), this);
        try
        {
            ShardCodes.LoadOrMake(disk, Path.Combine(folder, file), _segment, quantizer, work).Dispose();
        }
        finally
        {
            _bare.Release();
        }
    }

    /// <summary>Lets the codes of a version go; searches that hold them end well.</summary>
    internal void DropCodes(uint version)
    {
        Check.That(version > 0);
        ShardView[] dropped;
        lock (_change)
        {
            dropped = [.. _views.Where(view => view.CodesVersion == version)];
            _views = [.. _views.Except(dropped)];
        }

        Array.ForEach(dropped, view => view.Release());
    }

    /// <summary>Closes the shard to new snapshots; the last open one frees its memory.</summary>
    public void Dispose()
    {
        ShardView[] closed;
        lock (_change)
        {
            closed = _views;
            _views = [];
        }

        Array.ForEach(closed, view => view.Release());
    }

    /// <summary>Adds codes; those of the same version from another file were of a training that came to nothing, and go.</summary>
    private void Add(string file, PublishedQuantizer quantizer, Func<AlignedBuffer> load)
    {
        if (_views.Any(view => view.CodesFile == file))
        {
            return;
        }

        uint version = quantizer.Quantizer.Version;
        DropCodes(version);
        ObjectDisposedException.ThrowIf(!_bare.TryHold(), this); // the codes are of no use without the segment: they keep it
        try
        {
            AlignedBuffer codes = load();
            var added = new ShardView(_segment.View(codes.Pointer, quantizer.Quantizer), version, file, codes.Length, () =>
            {
                codes.Dispose();
                _bare.Release();
            });
            Publish(added);
        }
        catch
        {
            _bare.Release();
            throw;
        }
    }

    private void Publish(ShardView added)
    {
        bool isWanted;
        lock (_change)
        {
            isWanted = _views.Length > 0 && !_views.Any(view => view.CodesVersion == added.CodesVersion);
            if (isWanted)
            {
                _views = [.. _views, added];
            }
        }

        if (!isWanted)
        {
            added.Release(); // closed, or made by two at once
        }
    }
}
