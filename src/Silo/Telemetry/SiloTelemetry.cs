using System.Collections.Concurrent;
using System.Diagnostics;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;
using Signpost.Silo.Http;
using Signpost.Silo.Telemetry.Prometheus;

namespace Signpost.Silo.Telemetry;

/// <summary>
/// What a process tells of itself: metrics, traces, slow queries, traffic. A query that nobody looks at costs a few counters, and allocates
/// nothing here. Thread-safe.
/// </summary>
internal sealed class SiloTelemetry : IDisposable
{
    private readonly TelemetryOptions _options;
    private readonly Instruments _instruments = new();
    private readonly SlowQueryLog _slow;
    private readonly ConcurrentBag<QueryRecord> _free = [];
    private readonly Otlp? _otlp;
    private readonly TrafficWindow _traffic;

    /// <param name="options">What is told, and to whom.</param>
    /// <param name="threads">Those that search.</param>
    /// <param name="say">Takes a line for the operator.</param>
    public SiloTelemetry(TelemetryOptions options, SearchThreads threads, Action<string> say)
    {
        _options = options;
        _slow = new SlowQueryLog(options.SlowQueryJson, say, TimeProvider.System);
        _traffic = new TrafficWindow(threads, TimeProvider.System);
        Threads = threads;
        Page = new MetricsPage(_instruments.Meter);
        _otlp = options.Otlp is null ? null : new Otlp(options);
    }

    /// <summary>GET /metrics.</summary>
    public MetricsPage Page { get; }

    /// <summary>The metrics of this process.</summary>
    public Instruments Instruments => _instruments;

    /// <summary>The queries of the last seconds.</summary>
    public SiloTraffic Traffic => _traffic.Read();

    private SearchThreads Threads { get; }

    /// <summary>Tells of <paramref name="served"/> too, from now on.</summary>
    public void Observe(IServed served, SegmentCache? cache) => _ = new SiloGauges(_instruments.Meter, _options.Silo, served, Threads, cache);

    /// <summary>A search request came.</summary>
    public RequestRecord Begin(HttpContext context) => new(Stopwatch.GetTimestamp(), Sampling.Begin(context.Request.Headers, _options.TraceRatio));

    /// <summary>A search thread has got to a vector.</summary>
    public QueryRecord Begin(RequestRecord request, int row)
    {
        if (!_free.TryTake(out QueryRecord? record))
        {
            record = new QueryRecord();
        }

        record.Begin(request, row);
        return record;
    }

    /// <summary>The vector is answered, or refused; null: something failed.</summary>
    /// <returns>The explanation, where the request wants one.</returns>
    public ExplainReply? End(
        RequestRecord request, QueryRecord record, IServedCollection collection, in SearchRequest search, Outcome<SearchAnswer>? answer, bool isCancelled)
    {
        TimeSpan took = Stopwatch.GetElapsedTime(request.Arrived);
        string outcome = answer is { } ended ? OutcomeOf(ended, isCancelled) : "error";
        _instruments.Record(collection.Name, outcome, took, record.Queued, answer.GetValueOrDefault(), record.Report);
        _traffic.Add(took);
        if (record.Span is { } span)
        {
            EndSpan(span, record, collection, search, answer.GetValueOrDefault(), outcome);
        }

        ExplainReply? explain = null;
        bool isSlow = _options.SlowQuery > TimeSpan.Zero && took > _options.SlowQuery;
        if (isSlow)
        {
            _instruments.Slow(collection.Name);
        }

        if (isSlow && _slow.TryTake(out int leftOut))
        {
            explain = Explain.Of(collection, search, answer.GetValueOrDefault(), outcome, record, took);
            _slow.Write(explain, leftOut);
        }

        if (request.WantsExplain)
        {
            explain ??= Explain.Of(collection, search, answer.GetValueOrDefault(), outcome, record, took);
        }

        record.Clear();
        _free.Add(record);
        return request.WantsExplain ? explain : null;
    }

    /// <summary>The word of how a query ended.</summary>
    public static string OutcomeOf(in Outcome<SearchAnswer> answer, bool isCancelled) => answer.Problem?.Code switch
    {
        _ when isCancelled => "cancelled",
        null => answer.Value.Coverage.IsFull ? "ok" : "partial",
        { } code => OutcomeOf(code),
    };

    /// <summary>The word of a refusal.</summary>
    public static string OutcomeOf(ProblemCode code) => code switch
    {
        ProblemCode.Busy => "busy",
        ProblemCode.IncompleteCoverage => "incomplete",
        ProblemCode.StaleVersion => "stale",
        _ => "refused",
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        _otlp?.Dispose(); // sends what is left, and looks for it once more
        Page.Dispose();
        _instruments.Dispose();
    }

    private static void EndSpan(
        Activity span, QueryRecord record, IServedCollection collection, in SearchRequest search, in Outcome<SearchAnswer> answer, string outcome)
    {
        span.SetTag("signpost.collection", collection.Name);
        span.SetTag("signpost.k", search.Parameters.K);
        span.SetTag("signpost.l", search.Parameters.L);
        span.SetTag("signpost.mode", search.Parameters.Mode.Word());
        span.SetTag("signpost.queued_ms", record.Queued.TotalMilliseconds);
        span.SetTag("signpost.outcome", outcome);
        span.SetTag("signpost.shards_answered", answer.Value.Coverage.ShardsAnswered);
        SearchSpans.Tell(span, answer.Value.Stats);
        SearchSpans.End(span);
    }
}
