using Signpost.Client.Wire;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;

namespace Signpost.Silo.Http;

/// <summary>What a batch found, as answers tell it.</summary>
internal static class Replies
{
    /// <summary>The answer to one vector, or its problem.</summary>
    public static ItemReply Of(SearchBatch batch, int row)
    {
        if (batch.Answers[row].Problem is { } problem)
        {
            return new ItemReply { Status = problem.Code.ToString(), Explain = batch.Explains?[row], Problem = Problems.Reply(problem) };
        }

        SearchAnswer answer = batch.Answers[row].Value;
        (Coverage coverage, SearchStats stats) = (answer.Coverage, answer.Stats);
        ReadOnlySpan<Hit> hits = batch.Hits(row);
        var replies = new HitReply[hits.Length];
        for (int i = 0; i < hits.Length; i++)
        {
            replies[i] = new HitReply(hits[i].Id, hits[i].Distance);
        }

        return new ItemReply
        {
            Status = SearchFields.Ok,
            Hits = replies,
            Coverage = new CoverageReply(coverage.ShardsAnswered, coverage.Shards, coverage.VectorsAnswered, coverage.Vectors),
            Missing = answer.Missing.Count == 0 ? null : [.. answer.Missing.Select(m => new MissingReply(m.Shard.Number, m.Reason))],
            Stats = new StatsReply(stats.Hops, stats.DistanceComputations, stats.Reranked, stats.DeadlineReached),
            Explain = batch.Explains?[row],
        };
    }
}
