using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Search;

namespace Signpost.Engine.Training;

/// <summary>What is kept of one query's walk; vertices are ids in the shard.</summary>
/// <param name="Length">Hops of the walk.</param>
/// <param name="Records">Ascending by hop.</param>
/// <param name="Positives">Nearest first.</param>
/// <param name="Negatives">As the walk ranked them.</param>
internal sealed record QueryTrace(int Length, HopRecord[] Records, uint[] Positives, uint[] Negatives);

/// <summary>One routing decision: its candidates as the walk ranked them.</summary>
internal sealed record HopRecord(int Hop, HopCandidate[] Candidates);

/// <summary>A candidate.</summary>
/// <param name="Key">Of the walk: its distance and the vertex.</param>
/// <param name="Distance">True distance to the query.</param>
/// <param name="IsRight">Whether it is an acceptable choice.</param>
internal readonly record struct HopCandidate(ulong Key, float Distance, bool IsRight)
{
    public uint Vertex => (uint)Key >> 1;
}

/// <summary>One thread's recorder of walks.</summary>
/// <param name="segment">What is walked on.</param>
/// <param name="mode">Exact, or Codes.</param>
/// <param name="options">Valid.</param>
/// <param name="edges">For <see cref="HopLabel.LeadsToNeighbour"/>, else null.</param>
internal sealed class QueryTracer(SegmentView segment, SearchMode mode, SamplingOptions options, ReverseEdges? edges) : IDisposable
{
    private readonly ShardWalker _walker = new(segment);
    private readonly WalkTrace _trace = new(options);
    private readonly HopsToNeighbour? _hops = edges is null ? null : new HopsToNeighbour(edges);
    private uint[] _ids = new uint[256];
    private float[] _distances = new float[256];

    /// <summary>Walks for query <paramref name="index"/>, whose true neighbours are <paramref name="truth"/>.</summary>
    public QueryTrace Trace(QuerySet queries, int index, uint[] truth)
    {
        _walker.Bind(queries, index);
        CandidateList pool = _walker.Walk(mode, options.L);
        uint[] ranked = truth.Length == 0 ? [] : TrueNeighbours.Best(pool, options.Negatives, _walker.Own);
        uint[] positives = Positives(truth);
        uint[] negatives = [.. ranked.Except(truth).Except(positives)];
        _trace.Replay(_walker.Log, (int)Math.Min(options.L, segment.Graph.Count), _walker.Own);
        var random = new Seeded(options.Seed, RandomStreams.Walk + (ulong)index);
        int[] chosen = Choose(_trace.Count, options.HopsPerQuery, ref random);
        LabelByHops(chosen, truth);
        var records = new HopRecord[chosen.Length];
        for (int i = 0; i < chosen.Length; i++)
        {
            records[i] = new HopRecord(_trace.Hop(chosen[i]), Thin(Judge(_trace.Candidates(chosen[i])), ref random));
        }

        return new QueryTrace(_trace.Length, records, positives, negatives);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _walker.Dispose();
        _trace.Dispose();
    }

    /// <summary>One of each of at most <paramref name="parts"/> equal parts of [0, count), ascending.</summary>
    private static int[] Choose(int count, int parts, ref Seeded random)
    {
        var chosen = new int[Math.Min(parts, count)];
        for (int part = 0; part < chosen.Length; part++)
        {
            int from = (int)((long)part * count / chosen.Length), to = (int)((part + 1L) * count / chosen.Length);
            chosen[part] = from + random.Next(to - from);
        }

        return chosen;
    }

    /// <summary>Finds the hops to a true neighbour, as far as is needed for one candidate of each record to have some.</summary>
    private void LabelByHops(int[] chosen, uint[] truth)
    {
        if (_hops is null)
        {
            return;
        }

        _hops.Begin(truth, _walker.Own);
        bool wanting;
        do
        {
            wanting = false;
            foreach (int record in chosen)
            {
                bool found = false;
                foreach (ulong key in _trace.Candidates(record))
                {
                    found |= _hops.Of((uint)key >> 1) != HopsToNeighbour.Beyond;
                }

                wanting |= !found;
            }
        }
        while (wanting && _hops.Deepen());
    }

    /// <summary>The candidates in the order of the walk, with their true distances and which of them are right.</summary>
    private HopCandidate[] Judge(Span<ulong> keys)
    {
        keys.Sort();
        if (_ids.Length < keys.Length)
        {
            (_ids, _distances) = (new uint[keys.Length], new float[keys.Length]);
        }

        for (int i = 0; i < keys.Length; i++)
        {
            _ids[i] = (uint)keys[i] >> 1;
        }

        Span<uint> ids = _ids.AsSpan(0, keys.Length);
        Span<float> distances = _distances.AsSpan(0, keys.Length);
        _walker.Measure(ids, distances);
        float nearest = float.PositiveInfinity;
        int fewest = HopsToNeighbour.Beyond;
        for (int i = 0; i < keys.Length; i++)
        {
            nearest = MathF.Min(nearest, distances[i]);
            fewest = Math.Min(fewest, _hops?.Of(ids[i]) ?? HopsToNeighbour.Beyond);
        }

        var candidates = new HopCandidate[keys.Length];
        for (int i = 0; i < keys.Length; i++)
        {
            bool right = fewest < HopsToNeighbour.Beyond ? _hops!.Of(ids[i]) == fewest : distances[i] == nearest;
            candidates[i] = new HopCandidate(keys[i], distances[i], right);
        }

        return candidates;
    }

    /// <summary>At most <see cref="SamplingOptions.CandidatesPerHop"/> of them, in their order, the nearest of the right ones always.</summary>
    private HopCandidate[] Thin(HopCandidate[] candidates, ref Seeded random)
    {
        int most = options.CandidatesPerHop;
        if (candidates.Length <= most)
        {
            return candidates;
        }

        HopCandidate best = candidates.Where(candidate => candidate.IsRight).MinBy(candidate => (candidate.Distance, candidate.Vertex));
        int bestAt = Array.IndexOf(candidates, best);
        (candidates[0], candidates[bestAt]) = (candidates[bestAt], candidates[0]);
        int ranked = 1 + most / 2;
        Array.Sort(candidates, 1, candidates.Length - 1, ByKey);
        for (int i = ranked; i < most; i++)
        {
            int other = i + random.Next(candidates.Length - i);
            (candidates[i], candidates[other]) = (candidates[other], candidates[i]);
        }

        HopCandidate[] kept = candidates[..most];
        Array.Sort(kept, ByKey);
        return kept;
    }

    private static readonly Comparer<HopCandidate> ByKey = Comparer<HopCandidate>.Create((x, y) => x.Key.CompareTo(y.Key));

    private uint[] Positives(uint[] truth)
    {
        if (options.Neighbours == NeighbourSource.Exact || truth.Length == 0)
        {
            return truth;
        }

        bool outside = _walker.Own == QuerySet.Outside;
        uint vertex = outside ? truth[0] : _walker.Own;
        var row = new uint[segment.Graph.R];
        uint[] linked = row[..segment.Graph.Neighbours(vertex, row)];
        return [.. (outside ? linked.Prepend(vertex) : linked).Take(options.Positives)];
    }
}
