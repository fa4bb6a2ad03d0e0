using System.Diagnostics.Metrics;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Silo.Http;

namespace Signpost.Silo.Telemetry;

/// <summary>
/// Every metric of this process, but for those of the runtime itself. Names and units are those of OpenTelemetry; docs/operations.md says
/// what each one means (a test compares). Recording allocates nothing.
/// </summary>
internal sealed class Instruments : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Signpost";

    /// <summary>Upper bounds for times, seconds: from a search in memory to the patience of a person.</summary>
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    private static readonly InstrumentAdvice<double> Shares = new() { HistogramBucketBoundaries = [0, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1] };

    private static readonly InstrumentAdvice<long> Counts = new()
    {
        HistogramBucketBoundaries = [10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000],
    };

    private static readonly string[] KindWords = ["first", "retry", "hedge"];
    private static readonly string[] EndWords = ["given_up", "answered", "failed"];

    private readonly Counter<long> _queries;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _queueDuration;
    private readonly Histogram<double> _coverage;
    private readonly Histogram<long> _hops;
    private readonly Histogram<long> _distances;
    private readonly Histogram<long> _reranked;
    private readonly Counter<long> _late;
    private readonly Counter<long> _slow;
    private readonly Counter<long> _calls;
    private readonly Histogram<double> _callDuration;

    public Instruments()
    {
        Meter = new Meter(MeterName, Server.Version);
        _queries = Meter.CreateCounter<long>("signpost.queries", "{query}", "Vectors that were asked for, by how that ended.");
        _duration = Meter.CreateHistogram(
            "signpost.query.duration", "s", "Time from the arrival of a vector to its answer, waiting included.", null, Seconds);
        _queueDuration = Meter.CreateHistogram("signpost.query.queue.duration", "s", "Time that a vector waited for a search thread.", null, Seconds);
        _coverage = Meter.CreateHistogram("signpost.query.coverage", "1", "Share of the collection's vectors that had part in an answer.", null, Shares);
        _hops = Meter.CreateHistogram("signpost.query.hops", "{hop}", "Vertices whose neighbours an answer looked at, in all shards.", null, Counts);
        _distances = Meter.CreateHistogram(
            "signpost.query.distance_computations", "{distance}", "Distances that an answer computed while walking, in all shards.", null, Counts);
        _reranked = Meter.CreateHistogram("signpost.query.reranked", "{vector}", "Exact distances that an answer computed to re-rank.", null, Counts);
        _late = Meter.CreateCounter<long>("signpost.query.deadline_reached", "{query}", "Answers that the deadline ended early.");
        _slow = Meter.CreateCounter<long>("signpost.query.slow", "{query}", "Vectors that took longer than telemetry.slow_query_ms.");
        _calls = Meter.CreateCounter<long>(
            "signpost.silo.calls", "{call}", "Calls of a query to a silo, this one included, by why they were made and how they ended.");
        _callDuration = Meter.CreateHistogram("signpost.silo.call.duration", "s", "Time of answered calls to other silos.", null, Seconds);
    }

    /// <summary>The meter of all of them.</summary>
    public Meter Meter { get; }

    /// <summary>The word of a kind of call.</summary>
    public static string Word(AskKind kind) => KindWords[(int)kind];

    /// <summary>The word of an end of a call.</summary>
    public static string Word(CallEnd end) => EndWords[(int)end];

    /// <summary>Vectors that were never searched.</summary>
    public void Refused(string collection, string outcome, int count)
    {
        if (count > 0)
        {
            _queries.Add(count, Label("collection", collection), Label("outcome", outcome));
        }
    }

    /// <summary>A vector took long.</summary>
    public void Slow(string collection) => _slow.Add(1, Label("collection", collection));

    /// <summary>A vector was searched.</summary>
    public void Record(string collection, string outcome, TimeSpan took, TimeSpan queued, in Outcome<SearchAnswer> answer, CallReports report)
    {
        KeyValuePair<string, object?> ofCollection = Label("collection", collection);
        _queries.Add(1, ofCollection, Label("outcome", outcome));
        _duration.Record(took.TotalSeconds, ofCollection);
        _queueDuration.Record(queued.TotalSeconds, ofCollection);
        if (answer.Problem is null)
        {
            RecordWork(ofCollection, answer.Value);
        }

        foreach (ref readonly CallReport call in report.Calls)
        {
            Called(call.Silo, call.IsHere, call.Kind, call.End, call.Took);
        }
    }

    /// <summary>A silo was asked, by itself where <paramref name="isHere"/>.</summary>
    public void Called(string silo, bool isHere, AskKind kind, CallEnd end, TimeSpan took)
    {
        _calls.Add(1, Label("silo", silo), Label("kind", Word(kind)), Label("outcome", Word(end)));
        if (!isHere && end == CallEnd.Answered)
        {
            _callDuration.Record(took.TotalSeconds, Label("silo", silo));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Meter.Dispose();

    private static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);

    private void RecordWork(KeyValuePair<string, object?> ofCollection, in SearchAnswer answer)
    {
        (Coverage coverage, SearchStats stats) = (answer.Coverage, answer.Stats);
        _coverage.Record(coverage.Vectors == 0 ? 1 : (double)coverage.VectorsAnswered / coverage.Vectors, ofCollection);
        _hops.Record(stats.Hops, ofCollection);
        _distances.Record(stats.DistanceComputations, ofCollection);
        if (stats.Reranked > 0)
        {
            _reranked.Record(stats.Reranked, ofCollection);
        }

        if (stats.DeadlineReached)
        {
            _late.Add(1, ofCollection);
        }
    }
}
