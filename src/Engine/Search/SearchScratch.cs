using System.Collections.Concurrent;
using Signpost.Engine.Base;
using Signpost.Engine.Graphs;

namespace Signpost.Engine.Search;

/// <summary>Everything a search writes to. Rented, grown where needed and returned, so that a search allocates nothing.</summary>
public sealed unsafe class SearchScratch : IDisposable
{
    private AlignedBuffer _keys = new(0);
    private AlignedBuffer _row = new(0);

    /// <summary>Which vertices were seen.</summary>
    public VisitedSet Visited { get; } = new();

    /// <summary>Memory for a row of ids and as many distances, set by <see cref="Prepare"/>.</summary>
    public uint* Ids { get; private set; }

    /// <summary>Distances of <see cref="Ids"/>.</summary>
    public float* Distances { get; private set; }

    /// <summary>An empty candidate list of capacity <paramref name="l"/>, and room for rows of <paramref name="width"/> ids.</summary>
    public CandidateList Prepare(int l, int width)
    {
        long keyBytes = (l + 1L) * sizeof(ulong);
        if (_keys.Length < keyBytes)
        {
            _keys.Dispose();
            _keys = new AlignedBuffer(keyBytes);
        }

        long padded = (Math.Max(l, width) + 31L) / 16 * 16;
        if (_row.Length < 8 * padded)
        {
            _row.Dispose();
            _row = new AlignedBuffer(8 * padded);
        }

        Ids = (uint*)_row.Pointer;
        Distances = (float*)(_row.Pointer + 4 * padded);
        return new CandidateList((ulong*)_keys.Pointer, l);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _keys.Dispose();
        _row.Dispose();
        Visited.Dispose();
    }
}

/// <summary>Scratch for as many searches as run at once. Thread-safe.</summary>
public sealed class SearchScratchPool : IDisposable
{
    private readonly ConcurrentBag<SearchScratch> _free = [];

    /// <summary>A scratch of the caller's own until it is returned.</summary>
    public SearchScratch Rent() => _free.TryTake(out SearchScratch? scratch) ? scratch : new SearchScratch();

    /// <summary>Gives <paramref name="scratch"/> back.</summary>
    public void Return(SearchScratch scratch) => _free.Add(scratch);

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_free.TryTake(out SearchScratch? scratch))
        {
            scratch.Dispose();
        }
    }
}
