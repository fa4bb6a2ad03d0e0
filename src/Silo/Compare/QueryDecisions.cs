using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Silo.Compare;

/// <summary>
/// The routing decisions of walks on exact distances for the queries that recall is measured on, from which no method learns. They are
/// the same for all codes.
/// </summary>
internal sealed class QueryDecisions
{
    /// <summary>Each query is walked on one shard; more would hardly make the share more certain.</summary>
    private const int MostQueries = 1000;

    /// <summary>Decisions wanted: a walk is asked for more of them where there are few queries.</summary>
    private const int Wanted = 4000;

    private readonly IReadOnlyList<RoutingSample> _samples; // by shard

    private QueryDecisions(IReadOnlyList<RoutingSample> samples) => _samples = samples;

    /// <summary>Walks for <paramref name="queries"/>, some at random where there are many.</summary>
    public static QueryDecisions Record(TrainingSet set, VectorBlock queries, ulong seed, Work work)
    {
        var options = new SamplingOptions
        {
            Queries = MostQueries,
            HeldOut = 0,
            Candidates = CandidateSet.Unvisited, // the decisions that a search really takes
            HopsPerQuery = (int)Math.Max(4, Wanted / queries.Count),
            CandidatesPerHop = 4096,
            Positives = 0,
            Negatives = 0,
            Seed = seed,
        };
        long[] sizes = [.. set.Shards.Select(shard => shard.Vectors.Count)];
        using QueryChoice choice = QueryChoice.OfBlock(queries, set.Metric, sizes, options).OrThrow();
        IReadOnlyList<QuerySet> walked = choice.Training; // none is held out: nothing is learned from any
        return new QueryDecisions([.. set.Shards.Select((shard, i) => RoutingSampler.Sample(shard, walked[i], SearchMode.Exact, options, work))]);
    }

    /// <summary>Share of them in which the codes of <paramref name="shards"/>, as they are searched, prefer the truly nearest vertex, 0 .. 1.</summary>
    public double Agreement(IReadOnlyList<SegmentView> shards, Work work) => NextHopAgreement.Of(_samples, shards, work).Agreement;
}
