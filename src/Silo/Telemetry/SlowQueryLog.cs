using System.Globalization;
using System.Text;
using System.Text.Json;
using Signpost.Silo.Http;

namespace Signpost.Silo.Telemetry;

/// <summary>
/// Queries that took long, a line each: what was asked, and where the time went. No vector and no hit is in it. At most ten lines a second;
/// how many were left out is told in the next second's first line. Thread-safe.
/// </summary>
/// <param name="asJson">Whether a line is one JSON object; else words.</param>
/// <param name="say">Takes a line.</param>
/// <param name="time">For the seconds.</param>
internal sealed class SlowQueryLog(bool asJson, Action<string> say, TimeProvider time)
{
    /// <summary>Most lines of a second.</summary>
    public const int LinesPerSecond = 10;

    private readonly Lock _lock = new();
    private readonly long _origin = time.GetTimestamp();
    private long _second = -1;
    private int _lines;
    private int _leftOut;

    /// <summary>Whether a line may be written now; a caller who may not is counted.</summary>
    public bool TryTake(out int leftOut)
    {
        lock (_lock)
        {
            long second = (long)time.GetElapsedTime(_origin).TotalSeconds;
            if (second != _second)
            {
                (_second, _lines) = (second, 0);
            }

            if (_lines == LinesPerSecond)
            {
                _leftOut++;
                leftOut = 0;
                return false;
            }

            _lines++;
            (leftOut, _leftOut) = (_leftOut, 0);
            return true;
        }
    }

    /// <summary>Writes a line, with how many were left out before it.</summary>
    public void Write(ExplainReply query, int leftOut)
    {
        if (asJson)
        {
            var line = new SlowQueryLine("slow_query", time.GetUtcNow().UtcDateTime.ToString("O", CultureInfo.InvariantCulture), leftOut, query);
            say(JsonSerializer.Serialize(line, Wire.Json.SlowQueryLine));
        }
        else
        {
            say((leftOut == 0 ? "" : $"{leftOut} slow queries were left out; ") + Words(query));
        }
    }

    private static string Words(ExplainReply query)
    {
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"slow query: {query.TookMs} ms, {query.QueuedMs} ms of it in the queue; {query.Collection} k={query.K} l={query.L} mode={query.Mode}");
        if (query.Rerank is { } depth)
        {
            text.Append(CultureInfo.InvariantCulture, $" rerank={depth}");
        }

        text.Append(CultureInfo.InvariantCulture, $"; {query.Outcome}, {query.ShardsAnswered} of {query.Shards} shards");
        text.Append(CultureInfo.InvariantCulture, $", retries={query.Retries} hedges={query.Hedges}");
        text.Append(query.DeadlineReached ? ", deadline reached" : "");
        text.Append(query.TraceId is null ? "" : $", trace={query.TraceId}");
        foreach (ExplainCallReply call in query.Calls)
        {
            text.Append(CultureInfo.InvariantCulture, $"; {call.Silo} [{string.Join(',', call.Shards)}] {call.Kind} {call.Outcome}");
            text.Append(CultureInfo.InvariantCulture, $" at {call.StartedMs} for {call.TookMs} ms hops={call.Hops} distances={call.DistanceComputations}");
            text.Append(call.DeadlineReached ? " deadline reached" : "");
            text.Append(call.Failure is null ? "" : $" ({call.Failure.ReplaceLineEndings(" ")})");
        }

        return text.ToString();
    }
}
