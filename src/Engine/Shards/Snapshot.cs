using System.Runtime.InteropServices;
using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>
/// A guard on a shard as it was when this was taken: until it is disposed, the shard's memory stays. Not to be copied; costs no
/// allocation.
/// </summary>
public unsafe ref struct Snapshot
{
    private readonly SegmentView _view;
    private readonly ulong* _ids;
    private readonly SearchScratchPool _scratch;
    private Shard? _shard;

    internal Snapshot(Shard shard, in SegmentView view, Segment segment, SearchScratchPool scratch)
    {
        _shard = shard;
        _view = view;
        _ids = segment.Ids;
        _scratch = scratch;
    }

    /// <summary>Vectors in the shard.</summary>
    public readonly long Count => _view.Graph.Count;

    /// <summary>Why <paramref name="query"/> cannot be searched for with <paramref name="parameters"/>; null when it can.</summary>
    public readonly Problem? Validate(Query query, in SearchParameters parameters)
    {
        if (query.Dim != _view.Vectors.Dim || query.Type != _view.Vectors.Type || query.Metric != _view.Metric)
        {
            return new Problem(
                ProblemCode.WrongDimension, "query", $"{query.Dim} x {query.Type} under {query.Metric}",
                $"{_view.Vectors.Dim} x {_view.Vectors.Type} under {_view.Metric}", "Make the query with the collection's NewQuery.");
        }

        return Searcher.Validate(_view, parameters);
    }

    /// <summary>The nearest vectors of the shard, ascending by (distance, id), to the front of <paramref name="hits"/>. Allocates nothing.</summary>
    /// <param name="query">As <see cref="Validate"/> accepts it.</param>
    /// <param name="parameters">As <see cref="Validate"/> accepts them.</param>
    /// <param name="deadline">Ends the walk early with the best so far.</param>
    /// <param name="hits">At least K long.</param>
    /// <param name="stats">What the search did.</param>
    /// <returns>How many hits there are: K, or fewer where fewer vectors were reached.</returns>
    public readonly int Search(Query query, in SearchParameters parameters, Deadline deadline, Span<Hit> hits, out SearchStats stats)
    {
        Check.That(_shard is not null && hits.Length >= parameters.K);
        SearchScratch scratch = _scratch.Rent();

        // Neighbours are half as large as hits: they are found in the memory of the hits and widened there.
        Span<Neighbour> found = MemoryMarshal.Cast<Hit, Neighbour>(hits);
        int count = Searcher.Search(_view, query, parameters, deadline, scratch, found, out stats);
        _scratch.Return(scratch);
        for (int i = count - 1; i >= 0; i--)
        {
            Neighbour neighbour = found[i];
            hits[i] = new Hit(_ids[neighbour.Id], neighbour.Distance);
        }

        GC.KeepAlive(_shard); // it holds the memory that the view and the ids point into
        OrderTies(hits[..count]);
        return count;
    }

    /// <summary>Lets the shard's memory go.</summary>
    public void Dispose()
    {
        _shard?.Release();
        _shard = null;
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
