using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Search;

namespace Signpost.Engine.Training;

/// <summary>
/// The candidate sets of a walk, hop by hop. What a walk evaluated, in order, determines its pool at every moment; so the walk only
/// logs, and here its pool is replayed.
/// </summary>
/// <remarks>
/// As the authors' program records, with these differences: the pool begins with the entry alone and not with random vertices; no
/// hop is lost (theirs keeps the last 50); a hop with fewer than two candidates is no decision and no record; of the accepted
/// neighbours the first r join the record, not those among the first r edges.
/// </remarks>
internal sealed unsafe class WalkTrace(SamplingOptions options) : IDisposable
{
    private readonly AlignedBuffer _pool = new((options.L + 1L) * sizeof(ulong));
    private readonly List<(int Hop, int End)> _records = [];
    private ulong[] _keys = new ulong[4096];
    private int _count;

    /// <summary>Number of records of the walk.</summary>
    public int Count => _records.Count;

    /// <summary>Hops of the walk, recorded or not.</summary>
    public int Length { get; private set; }

    /// <summary>Which hop of the walk, from 0, a record is of.</summary>
    public int Hop(int record) => _records[record].Hop;

    /// <summary>Keys of the candidates of a record: distances of the walk.</summary>
    public Span<ulong> Candidates(int record) => _keys.AsSpan((record == 0 ? 0 : _records[record - 1].End).._records[record].End);

    /// <summary>Replays the walk of <paramref name="log"/>, which had a pool of <paramref name="l"/>, without <paramref name="own"/>.</summary>
    public void Replay(EvaluatedLog log, int l, uint own)
    {
        Check.That(l <= options.L);
        _records.Clear();
        _count = 0;
        Length = log.Batches - 1;
        var pool = new CandidateList((ulong*)_pool.Pointer, l);
        Offer(ref pool, log.Batch(0), false);
        for (int hop = 0; hop < Length; hop++)
        {
            bool open = pool.TryExpand(out uint vertex);
            Check.That(open);
            bool recorded = RankOf(vertex, pool) < options.Top;
            int start = _count;
            Reserve(options.Top + options.New);
            if (recorded)
            {
                TakeTop(pool, own);
            }

            Offer(ref pool, log.Batch(hop + 1), recorded);
            if (_count - start >= 2)
            {
                _records.Add((hop, _count));
            }
            else
            {
                _count = start;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _pool.Dispose();

    private static int RankOf(uint vertex, in CandidateList pool)
    {
        int rank = 0;
        while (pool.Id(rank) != vertex)
        {
            rank++;
        }

        return rank;
    }

    private void TakeTop(in CandidateList pool, uint own)
    {
        int end = _count + options.Top;
        bool all = options.Candidates == CandidateSet.Visited;
        int places = all ? Math.Min(options.Top, pool.Count) : pool.Count;
        for (int i = 0; i < places && _count < end; i++)
        {
            if ((all || pool.IsOpen(i)) && pool.Id(i) != own)
            {
                _keys[_count++] = CandidateList.KeyOf(pool.Distance(i), pool.Id(i));
            }
        }
    }

    private void Offer(ref CandidateList pool, ReadOnlySpan<ulong> keys, bool recorded)
    {
        int left = recorded ? options.New : 0;
        foreach (ulong key in keys)
        {
            if (pool.Takes(key))
            {
                pool.Offer(key);
                if (left-- > 0)
                {
                    _keys[_count++] = key;
                }
            }
        }
    }

    private void Reserve(int more)
    {
        if (_count + more > _keys.Length)
        {
            Array.Resize(ref _keys, 2 * _keys.Length + more);
        }
    }
}
