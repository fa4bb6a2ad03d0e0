using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Silo.Http;

namespace Signpost.Silo.Telemetry;

/// <summary>Makes of a report what people are told.</summary>
internal static class Explain
{
    /// <summary>The explanation of an answer that took <paramref name="took"/>.</summary>
    public static ExplainReply Of(
        IServedCollection collection, in SearchRequest request, in Outcome<SearchAnswer> answer, string outcome, QueryRecord record, TimeSpan took)
    {
        SearchParameters parameters = request.Parameters;
        CallReports report = record.Report;
        var calls = new ExplainCallReply[report.Calls.Length];
        for (int i = 0; i < calls.Length; i++)
        {
            calls[i] = Of(report, report.Calls[i]);
        }

        return new ExplainReply
        {
            Collection = collection.Name,
            K = parameters.K,
            L = parameters.L,
            Mode = parameters.Mode.Word(),
            Rerank = parameters.Depth,
            TookMs = Ms(took),
            QueuedMs = Ms(record.Queued),
            Outcome = outcome,
            ShardsAnswered = answer.Value.Coverage.ShardsAnswered,
            Shards = answer.Problem is null ? answer.Value.Coverage.Shards : collection.Map.Shards.Length,
            DeadlineReached = answer.Value.Stats.DeadlineReached,
            MapVersion = collection.Map.Version,
            CodesVersion = collection.Map.CodesVersion,
            Retries = report.Count(AskKind.Retry),
            Hedges = report.Count(AskKind.Hedge),
            TraceId = record.Span?.TraceId.ToString(),
            Calls = calls,
        };
    }

    private static ExplainCallReply Of(CallReports report, in CallReport call) => new()
    {
        Silo = call.Silo,
        Kind = Instruments.Word(call.Kind),
        Outcome = Instruments.Word(call.End),
        Failure = call.Failure,
        StartedMs = Ms(call.Started),
        TookMs = Ms(call.Took),
        Hops = call.Stats.Hops,
        DistanceComputations = call.Stats.DistanceComputations,
        Reranked = call.Stats.Reranked,
        DeadlineReached = call.Stats.DeadlineReached,
        Shards = report.ShardsOf(call).ToArray(),
        Work = call.Work?.Select(Of).ToArray(),
    };

    private static ExplainShardReply Of(ShardWork work) =>
        new(work.Shard, Ms(work.Took), work.Stats.Hops, work.Stats.DistanceComputations, work.Stats.Reranked, work.Stats.DeadlineReached);

    private static double Ms(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);
}
