using System.Diagnostics;
using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;

namespace Signpost.Silo.Eval;

/// <summary>
/// One setting of one search being measured: <see cref="Find"/> for recall, which also fills the caches, then any number of timed
/// passes, of which the medians count. Passes of several measurements may take turns.
/// </summary>
internal sealed class Measurement(ISearchable subject, VectorBlock queries, SearchParameters parameters, Work work)
{
    /// <summary>Processor time within which the runtime has recompiled what is hot, with what it has learned.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(0.8);

    private readonly QueryPass _pass = new(subject, queries, parameters, work.Cancel);
    private readonly List<long[]> _ticks = [];
    private readonly List<double> _seconds = [];
    private readonly List<double> _cpuSeconds = [];
    private readonly List<double> _allSeconds = [];
    private uint[] _ids = [];
    private SearchStats _stats;

    /// <summary>How it searches.</summary>
    public SearchParameters Parameters => parameters;

    /// <summary>Searches until the runtime has recompiled what is hot.</summary>
    public void Warm()
    {
        TimeSpan start = Environment.CpuUsage.TotalTime;
        while (Environment.CpuUsage.TotalTime - start < WarmUp)
        {
            _pass.Find(1);
        }
    }

    /// <summary>The pass for recall, on all threads.</summary>
    public void Find() => (_ids, _stats) = _pass.Find(work.Threads);

    /// <summary>One timed pass on one thread.</summary>
    public void TimeOne()
    {
        long[] ticks = new long[queries.Count];
        (double seconds, double cpuSeconds) = _pass.TimeOne(ticks);
        _ticks.Add(ticks);
        _seconds.Add(seconds);
        _cpuSeconds.Add(cpuSeconds);
    }

    /// <summary>One timed pass on all threads.</summary>
    public void TimeAll() => _allSeconds.Add(work.Threads == 1 ? _seconds[^1] : _pass.TimeAll(work.Threads));

    /// <summary>Mean share of the true <paramref name="k"/> nearest among those found.</summary>
    public double Recall(GroundTruth truth, int k) => truth.Recall(_ids, parameters.K, k);

    /// <summary>Queries per second of processor time of one thread.</summary>
    public double QpsCpu => queries.Count / Median(_cpuSeconds);

    /// <summary>Vertices expanded per query, over all shards.</summary>
    public double Hops => (double)_stats.Hops / queries.Count;

    /// <summary>Distances computed while walking, per query.</summary>
    public double DistanceComputations => (double)_stats.DistanceComputations / queries.Count;

    /// <summary>What was measured, passes on all threads among it, as a point of <paramref name="curve"/>.</summary>
    public EvalPoint Point(GroundTruth truth, string curve)
    {
        long count = queries.Count;
        long[] ticks = [.. _ticks.SelectMany(t => t)];
        Array.Sort(ticks);
        return new EvalPoint
        {
            Search = parameters.Mode.Word(),
            Quantizer = subject.Quantizer,
            M = subject.M,
            K = parameters.K,
            L = parameters.L,
            Rerank = parameters.Depth,
            Curve = curve,
            RecallAtK = Recall(truth, parameters.K),
            RecallAt10 = parameters.K >= 10 ? Recall(truth, 10) : null,
            Qps1 = count / Median(_seconds),
            QpsCpu = QpsCpu,
            QpsAll = count / Median(_allSeconds),
            P50Us = Percentile(ticks, 0.50),
            P95Us = Percentile(ticks, 0.95),
            P99Us = Percentile(ticks, 0.99),
            Hops = Hops,
            DistanceComputations = DistanceComputations,
            Reranked = (double)_stats.Reranked / count,
            ResidentBytesPerVector = subject.ResidentBytesPerVector(parameters.Mode),
            MappedBytesPerVector = subject.MappedBytesPerVector(parameters.Mode),
        };
    }

    private static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// <summary>The value that a share of all is at or below (nearest rank), in microseconds.</summary>
    private static double Percentile(long[] sortedTicks, double share) =>
        sortedTicks[Math.Max(0, (int)Math.Ceiling(share * sortedTicks.Length) - 1)] * 1e6 / Stopwatch.Frequency;
}
