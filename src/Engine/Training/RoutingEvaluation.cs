using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Training;

/// <summary>
/// Held-out queries with all that quantizers are compared by: their true neighbours in the whole collection, and the decisions of
/// their walks on exact distances, which are the same for every quantizer. Made once.
/// </summary>
public sealed class RoutingEvaluation
{
    /// <summary>k of the recall.</summary>
    public const int K = 10;

    private const int ChunkQueries = 8;

    private readonly IReadOnlyList<QuerySet> _queries;
    private readonly ShardNeighbour[][] _truth;

    private RoutingEvaluation(IReadOnlyList<QuerySet> queries, ShardNeighbour[][] truth, IReadOnlyList<RoutingSample> traces)
    {
        _queries = queries;
        _truth = truth;
        Traces = traces;
    }

    /// <summary>Decisions of the walks on exact distances, one sample for each shard, with all their candidates.</summary>
    public IReadOnlyList<RoutingSample> Traces { get; }

    /// <summary>Number of held-out queries.</summary>
    public int Queries => _truth.Length;

    /// <summary>Finds the true neighbours by looking at every vector of every shard, and walks.</summary>
    /// <param name="shards">The collection; codes are not needed.</param>
    /// <param name="queries">Held-out queries by shard; used by this object, and disposed by the caller after it.</param>
    /// <param name="options">Settings of the walks; <see cref="HopLabel.Nearest"/> whatever they say.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    /// <exception cref="ProblemException">As <see cref="RoutingSampler"/>.</exception>
    public static RoutingEvaluation Prepare(
        IReadOnlyList<SegmentView> shards, IReadOnlyList<QuerySet> queries, SamplingOptions options, Work work)
    {
        Check.That(shards.Count == queries.Count);
        SamplingOptions walks = options with
        {
            CandidatesPerHop = 4096,
            Positives = 0,
            Negatives = 0,
            Label = HopLabel.Nearest,
        };
        RoutingSample[] traces = [.. shards.Select((shard, i) => RoutingSampler.Sample(shard, queries[i], SearchMode.Exact, walks, work))];
        return new RoutingEvaluation(queries, Truth(shards, queries, work), traces);
    }

    /// <summary>Mean share of the true 10 nearest, the query itself left out, that a search on codes alone finds.</summary>
    /// <param name="shards">The same vectors and graphs with the codes to be measured.</param>
    /// <param name="l">Pool of the search in each shard, 10 or more.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    /// <returns>0 .. 1; NaN without queries.</returns>
    public double Recall(IReadOnlyList<SegmentView> shards, int l, Work work)
    {
        Check.That(shards.Count == _queries.Count && l >= K);
        (int Home, int Index)[] places = [.. _queries.SelectMany((set, home) => Enumerable.Range(0, set.Count).Select(i => (home, i)))];
        var found = new int[places.Length];
        using var walkers = new PerWorker<Walkers>(work.Threads, () => new Walkers(shards));
        work.For("search for held-out queries", places.Length, ChunkQueries, (from, to, worker) =>
        {
            for (int q = (int)from; q < to; q++)
            {
                (int home, int index) = places[q];
                ShardNeighbour[] best = walkers[worker].Search(_queries[home], index, home, l);
                found[q] = best.Count(hit => _truth[q].Any(near => near.Shard == hit.Shard && near.Id == hit.Id));
            }
        });
        return (double)found.Sum() / _truth.Sum(row => row.Length);
    }

    /// <summary>Next-hop agreement on <see cref="Traces"/> of the codes that <paramref name="shards"/> have.</summary>
    public NextHopAgreement NextHop(IReadOnlyList<SegmentView> shards, Work work) => NextHopAgreement.Of(Traces, shards, work);

    /// <summary>Next-hop agreement on <see cref="Traces"/> of the codes that <paramref name="quantizer"/> gives by itself.</summary>
    public NextHopAgreement NextHop(IQuantizer quantizer, Work work) => NextHopAgreement.Of(Traces, quantizer, work);

    private static ShardNeighbour[][] Truth(IReadOnlyList<SegmentView> shards, IReadOnlyList<QuerySet> queries, Work work)
    {
        var truth = new List<ShardNeighbour>[queries.Sum(set => set.Count)];
        for (int shard = 0; shard < shards.Count; shard++)
        {
            for (int home = 0, first = 0; home < queries.Count; first += queries[home].Count, home++)
            {
                QuerySet set = queries[home];
                var outside = new uint[set.Count];
                Array.Fill(outside, QuerySet.Outside);
                Neighbour[][] rows = TrueNeighbours.Exhaustive(shards[shard], set.Vectors, home == shard ? set.Own : outside, K, work);
                for (int q = 0; q < rows.Length; q++)
                {
                    int at = shard;
                    (truth[first + q] ??= []).AddRange(rows[q].Select(near => new ShardNeighbour(near.Distance, at, near.Id)));
                }
            }
        }

        return [.. truth.Select(Nearest)];
    }

    private static ShardNeighbour[] Nearest(List<ShardNeighbour> all) => [.. all.Order().Take(K)];

    /// <summary>Ordered by (distance, shard, vertex).</summary>
    private readonly record struct ShardNeighbour(float Distance, int Shard, uint Id) : IComparable<ShardNeighbour>
    {
        public int CompareTo(ShardNeighbour other) => (Distance, Shard, Id).CompareTo((other.Distance, other.Shard, other.Id));
    }

    /// <summary>One thread's walkers of all shards.</summary>
    private sealed class Walkers(IReadOnlyList<SegmentView> shards) : IDisposable
    {
        private readonly ShardWalker[] _walkers = [.. shards.Select(shard => new ShardWalker(shard))];

        public ShardNeighbour[] Search(QuerySet queries, int index, int home, int l)
        {
            var best = new List<ShardNeighbour>(K * _walkers.Length);
            for (int shard = 0; shard < _walkers.Length; shard++)
            {
                ShardWalker walker = _walkers[shard];
                if (shard == home)
                {
                    walker.Bind(queries, index);
                }
                else
                {
                    walker.BindOutside(queries, index);
                }

                CandidateList pool = walker.Walk(SearchMode.Codes, l);
                for (int i = 0, taken = 0; i < pool.Count && taken < K; i++)
                {
                    if (pool.Id(i) != walker.Own)
                    {
                        best.Add(new ShardNeighbour(pool.Distance(i), shard, pool.Id(i)));
                        taken++;
                    }
                }
            }

            return Nearest(best);
        }

        public void Dispose()
        {
            foreach (ShardWalker walker in _walkers)
            {
                walker.Dispose();
            }
        }
    }
}
