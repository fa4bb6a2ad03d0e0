using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>
/// A shard that is open for search: today one segment. Whoever searches holds a <see cref="Shards.Snapshot"/>; the segment is freed
/// by the last of them after <see cref="Dispose"/>, so nothing is unmapped under a running search and nobody waits.
/// </summary>
public sealed class Shard : IDisposable
{
    private readonly Segment _segment;
    private readonly SegmentView _view;
    private readonly SearchScratchPool _scratch;
    private long _holders = 1; // open snapshots, and one for the shard itself until it is disposed
    private int _isDisposed;

    private Shard(Segment segment, IQuantizer? quantizer, SearchScratchPool scratch)
    {
        _segment = segment;
        _view = segment.View(quantizer);
        _scratch = scratch;
    }

    /// <summary>Bytes that the shard takes.</summary>
    public SegmentMemory Memory => _segment.Memory;

    /// <summary>Whether the memory has been given back.</summary>
    internal bool IsFreed => Interlocked.Read(ref _holders) == 0;

    /// <summary>Opens and verifies the segment of <paramref name="entry"/>. Refused: a missing file; one beyond the memory limit.</summary>
    /// <param name="disk">Where.</param>
    /// <param name="folder">Folder of the collection.</param>
    /// <param name="manifest">Manifest of the collection.</param>
    /// <param name="entry">The shard in <paramref name="manifest"/>.</param>
    /// <param name="quantizer">The collection's; null where it has none.</param>
    /// <param name="load">How to open the segment.</param>
    /// <param name="scratch">Scratch of searches, shared with other shards; outlives this.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    /// <exception cref="BadFileException">Cut, flipped, foreign, or not the segment that the manifest means.</exception>
    public static Outcome<Shard> Open(
        IDisk disk, string folder, CollectionManifest manifest, ManifestShard entry, IQuantizer? quantizer, SegmentLoad load,
        SearchScratchPool scratch, Work work)
    {
        string path = Path.Combine(folder, entry.Segment);
        Outcome<Segment> opened = Segment.Open(disk, path, load, work);
        if (opened.Problem is not null)
        {
            return opened.Problem;
        }

        Segment segment = opened.Value!;
        try
        {
            manifest.MustMatch(entry, path, segment.Info);
            return new Shard(segment, quantizer, scratch);
        }
        catch
        {
            segment.Dispose();
            throw;
        }
    }

    /// <summary>The shard as it is now, for one search or several; to be disposed on the thread that asked for it.</summary>
    /// <exception cref="ObjectDisposedException">The shard has been disposed.</exception>
    public Snapshot Snapshot()
    {
        long holders = Interlocked.Read(ref _holders);
        while (Volatile.Read(ref _isDisposed) == 0 && holders > 0)
        {
            long before = Interlocked.CompareExchange(ref _holders, holders + 1, holders);
            if (before == holders)
            {
                return new Snapshot(this, _view, _segment, _scratch);
            }

            holders = before;
        }

        throw new ObjectDisposedException(nameof(Shard), $"{_segment.Path} has been closed");
    }

    /// <summary>Closes the shard to new snapshots; the last open one frees its memory.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            Release();
        }
    }

    internal void Release()
    {
        long left = Interlocked.Decrement(ref _holders);
        Check.That(left >= 0);
        if (left == 0)
        {
            _segment.Dispose();
        }
    }
}
