using System.Runtime.InteropServices;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Shards;

/// <summary>
/// A guard on a shard as it was when this was taken, with the codes of one version: until it is disposed, their memory stays. Not to
/// be copied; costs no allocation.
/// </summary>
public unsafe ref struct Snapshot
{
    private readonly SegmentView _view;
    private readonly ulong* _ids;
    private readonly SlotRange _slots;
    private readonly SearchScratchPool _scratch;
    private readonly uint _wanted;
    private ShardView? _held;

    internal Snapshot(ShardView held, Segment segment, SearchScratchPool scratch, uint wanted)
    {
        _held = held;
        _view = held.Segment;
        _ids = segment.Ids;
        _slots = new SlotRange(segment.Info.SlotFrom, segment.Info.SlotTo);
        _scratch = scratch;
        _wanted = wanted;
    }

    /// <summary>Vectors in the shard.</summary>
    public readonly long Count => _view.Graph.Count;

    /// <summary>What a search needs of the shard; to be used until this is disposed.</summary>
    public readonly SegmentView View => _view;

    /// <summary>Why <paramref name="query"/> cannot be searched for with <paramref name="parameters"/>; null when it can.</summary>
    public readonly Problem? Validate(Query query, in SearchParameters parameters)
    {
        if (query.Dim != _view.Vectors.Dim || query.Type != _view.Vectors.Type || query.Metric != _view.Metric)
        {
            return new Problem(
                ProblemCode.WrongDimension, "query", $"{query.Dim} x {query.Type} under {query.Metric}",
                $"{_view.Vectors.Dim} x {_view.Vectors.Type} under {_view.Metric}", "Make the query with the collection's NewQuery.");
        }

        if (parameters.Mode != SearchMode.Exact && _held!.CodesVersion != _wanted)
        {
            return new Problem(
                ProblemCode.StaleVersion, "codes", $"version {_wanted}", "the version in use", "Ask again with the newest shard map.");
        }

        return Searcher.Validate(_view, parameters);
    }

    /// <summary>
    /// The nearest vectors of some slots of the segment. The walk is that of the whole segment; of its pool of L those count that are in the
    /// slots, so as many as K of them are found where the pool has them. Allocates nothing where the slots are all of the segment's.
    /// </summary>
    /// <param name="query">As <see cref="Validate"/> accepts it.</param>
    /// <param name="parameters">As <see cref="Validate"/> accepts them.</param>
    /// <param name="slots">Ranges without overlap.</param>
    /// <param name="deadline">Ends the walk early with the best so far.</param>
    /// <param name="hits">At least K long.</param>
    /// <param name="stats">What the search did.</param>
    /// <returns>How many hits there are.</returns>
    public readonly int Search(
        Query query, in SearchParameters parameters, ReadOnlySpan<SlotRange> slots, Deadline deadline, Span<Hit> hits, out SearchStats stats)
    {
        Check.That(parameters.Mode == SearchMode.Exact || _held!.CodesVersion == _wanted);
        int owned = 0;
        foreach (SlotRange range in slots)
        {
            owned += Math.Max(0, Math.Min(range.To, _slots.To) - Math.Max(range.From, _slots.From));
        }

        Predicate<uint>? only = owned == _slots.Count ? null : new OwnedVertices(_ids, [.. slots]).Has;
        return Search(_view, query, parameters, deadline, hits, out stats, only);
    }

    /// <summary>The nearest vectors of the segment, ascending by (distance, id), to the front of <paramref name="hits"/>. Allocates nothing.</summary>
    /// <param name="query">As <see cref="Validate"/> accepts it.</param>
    /// <param name="parameters">As <see cref="Validate"/> accepts them.</param>
    /// <param name="deadline">Ends the walk early with the best so far.</param>
    /// <param name="hits">At least K long.</param>
    /// <param name="stats">What the search did.</param>
    /// <returns>How many hits there are: K, or fewer where fewer vectors were reached.</returns>
    public readonly int Search(Query query, in SearchParameters parameters, Deadline deadline, Span<Hit> hits, out SearchStats stats)
    {
        Check.That(parameters.Mode == SearchMode.Exact || _held!.CodesVersion == _wanted);
        return Search(_view, query, parameters, deadline, hits, out stats);
    }

    /// <summary>The same on <paramref name="view"/>: <see cref="View"/>, with codes that the caller holds in place of its own.</summary>
    public readonly int Search(
        in SegmentView view, Query query, in SearchParameters parameters, Deadline deadline, Span<Hit> hits, out SearchStats stats) =>
        Search(view, query, parameters, deadline, hits, out stats, null);

    private readonly int Search(
        in SegmentView view, Query query, in SearchParameters parameters, Deadline deadline, Span<Hit> hits, out SearchStats stats, Predicate<uint>? only)
    {
        Check.That(_held is not null && hits.Length >= parameters.K && ReferenceEquals(view.Graph, _view.Graph));
        SearchScratch scratch = _scratch.Rent();

        // Neighbours are half as large as hits: they are found in the memory of the hits and widened there.
        Span<Neighbour> found = MemoryMarshal.Cast<Hit, Neighbour>(hits);
        int count = Searcher.Search(view, query, parameters, deadline, scratch, found, out stats, only);
        _scratch.Return(scratch);
        for (int i = count - 1; i >= 0; i--)
        {
            Neighbour neighbour = found[i];
            hits[i] = new Hit(_ids[neighbour.Id], neighbour.Distance);
        }

        GC.KeepAlive(_held); // it holds the memory that the view and the ids point into
        OrderTies(hits[..count]);
        return count;
    }

    /// <summary>
    /// <paramref name="count"/> vectors, at most as many as there are, chosen at random without replacement and kept in their order. The
    /// caller owns them.
    /// </summary>
    internal readonly VectorBlock Sample(int count, ulong seed)
    {
        VectorBlock vectors = _view.Vectors;
        long[] rows = FloatRows.Choose(vectors.Count, count, seed);
        VectorBlock sample = VectorBlock.Allocate(rows.Length, vectors.Dim, vectors.Type);
        for (int i = 0; i < rows.Length; i++)
        {
            vectors.RowSpan(rows[i]).CopyTo(new Span<byte>(sample.Row(i), sample.RowBytes));
        }

        GC.KeepAlive(_held);
        return sample;
    }

    /// <summary>Lets the memory go.</summary>
    public void Dispose()
    {
        _held?.Release();
        _held = null;
    }

    /// <summary>The vertices whose ids are in some slots.</summary>
    private sealed class OwnedVertices(ulong* ids, SlotRange[] slots)
    {
        public bool Has(uint vertex)
        {
            int slot = Slots.Of(ids[vertex]);
            return Array.Exists(slots, range => range.Contains(slot));
        }
    }

    /// <summary>Insertion sort. Hits come by (distance, vertex), so only equal distances can be out of the order of their ids.</summary>
    private static void OrderTies(Span<Hit> hits)
    {
        for (int i = 1; i < hits.Length; i++)
        {
            Hit hit = hits[i];
            int at = i;
            for (; at > 0 && hit.CompareTo(hits[at - 1]) < 0; at--)
            {
                hits[at] = hits[at - 1];
            }

            hits[at] = hit;
        }
    }
}
