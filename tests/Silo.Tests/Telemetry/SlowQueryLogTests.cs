using System.Text.Json;
using Signpost.Silo.Http;
using Signpost.Silo.Telemetry;

namespace Signpost.Silo.Tests.Telemetry;

public sealed class SlowQueryLogTests
{
    private readonly SteppedTime _time = new();
    private readonly List<string> _lines = [];

    [Fact]
    public void A_second_has_at_most_ten_lines_and_the_next_one_tells_how_many_were_left_out()
    {
        var log = new SlowQueryLog(false, _lines.Add, _time);
        Ask(log, 25);
        Assert.Equal(10, _lines.Count);
        _time.Now += TimeSpan.FromSeconds(1);
        Ask(log, 2);
        Assert.Equal(12, _lines.Count);
        Assert.StartsWith("15 slow queries were left out; slow query: ", _lines[10], StringComparison.Ordinal);
        Assert.StartsWith("slow query: ", _lines[11], StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_tells_what_was_asked_and_where_the_time_went()
    {
        new SlowQueryLog(false, _lines.Add, _time).Write(Query(), 0);
        Assert.Equal(
            "slow query: 1234.5 ms, 3.25 ms of it in the queue; docs k=10 l=64 mode=codes+rerank rerank=64; partial, 2 of 3 shards, retries=1 hedges=0, "
            + "deadline reached, trace=0af7; silo-1 [0,2] first answered at 0 for 5 ms hops=20 distances=300; "
            + "silo-2 [1] retry failed at 2 for 3 ms hops=0 distances=0 (no connection to it)",
            Assert.Single(_lines));
    }

    [Fact]
    public void A_line_can_be_json()
    {
        new SlowQueryLog(true, _lines.Add, _time).Write(Query(), 7);
        string line = Assert.Single(_lines);
        Assert.DoesNotContain('\n', line);
        JsonElement json = JsonDocument.Parse(line).RootElement;
        Assert.Equal("slow_query", json.GetProperty("event").GetString());
        Assert.Equal("2026-01-02T03:04:05.0000000Z", json.GetProperty("time").GetString());
        Assert.Equal(7, json.GetProperty("left_out").GetInt32());
        JsonElement query = json.GetProperty("query");
        Assert.Equal(1234.5, query.GetProperty("took_ms").GetDouble());
        Assert.Equal("no connection\nto it", query.GetProperty("calls")[1].GetProperty("failure").GetString());
    }

    private static void Ask(SlowQueryLog log, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (log.TryTake(out int leftOut))
            {
                log.Write(Query(), leftOut);
            }
        }
    }

    private static ExplainReply Query() => new()
    {
        Collection = "docs",
        K = 10,
        L = 64,
        Mode = "codes+rerank",
        Rerank = 64,
        Outcome = "partial",
        TookMs = 1234.5,
        QueuedMs = 3.25,
        ShardsAnswered = 2,
        Shards = 3,
        DeadlineReached = true,
        MapVersion = 4,
        CodesVersion = 1,
        Retries = 1,
        Hedges = 0,
        TraceId = "0af7",
        Calls =
        [
            Call("silo-1", "first", "answered", null, 0, 5, 20, 300, [0, 2]),
            Call("silo-2", "retry", "failed", "no connection\nto it", 2, 3, 0, 0, [1]),
        ],
    };

    private static ExplainCallReply Call(string silo, string kind, string outcome, string? failure, double at, double took, long hops, long distances, int[] shards) => new()
    {
        Silo = silo,
        Kind = kind,
        Outcome = outcome,
        Failure = failure,
        StartedMs = at,
        TookMs = took,
        Hops = hops,
        DistanceComputations = distances,
        Reranked = 0,
        DeadlineReached = false,
        Shards = shards,
    };

    private sealed class SteppedTime : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromSeconds(5);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;

        public override DateTimeOffset GetUtcNow() => new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    }
}
