using System.Diagnostics;
using System.Globalization;
using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;

namespace Signpost.Silo.Eval;

/// <summary>What a sweep measures: every walk at every pool size and, where the walk re-ranks, at every depth.</summary>
/// <param name="K">Neighbours asked for.</param>
/// <param name="Ls">Pool sizes; those below <paramref name="K"/> are left out.</param>
/// <param name="Modes">Walks.</param>
/// <param name="Reranks">
/// Depths, 0 for the whole pool; left out are those outside K .. L, and those that are the whole pool where that is measured anyway.
/// </param>
/// <param name="Repeat">Timed passes; the median counts.</param>
internal sealed record SweepPlan(int K, IReadOnlyList<int> Ls, IReadOnlyList<SearchMode> Modes, IReadOnlyList<int> Reranks, int Repeat)
{
    /// <summary>The settings in the order in which they are measured.</summary>
    public IEnumerable<SearchParameters> Settings() =>
        from mode in Modes
        from depth in mode == SearchMode.CodesRerank ? Reranks : [0]
        from l in Ls
        where l >= K && (depth == 0 || (depth >= K && depth <= l && !(depth == l && Reranks.Contains(0))))
        select new SearchParameters(K, l, mode, depth);
}

/// <summary>Measures a collection setting by setting.</summary>
/// <param name="collection">What is searched.</param>
/// <param name="queries">Of the collection's dimension and element type.</param>
/// <param name="truth">Exact neighbours of the queries, at least K.</param>
/// <param name="work">Threads of <see cref="EvalPoint.QpsAll"/>, progress, cancellation.</param>
internal sealed class Sweep(OpenCollection collection, VectorBlock queries, GroundTruth truth, Work work)
{
    /// <summary>Processor time within which the runtime has recompiled what is hot, with what it has learned.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(0.8);

    /// <summary>Measures every setting of <paramref name="plan"/>.</summary>
    public IReadOnlyList<EvalPoint> Run(SweepPlan plan)
    {
        SearchParameters[] settings = [.. plan.Settings()];
        var points = new List<EvalPoint>(settings.Length);
        long start = Stopwatch.GetTimestamp();
        SearchMode? warm = null;
        foreach (SearchParameters parameters in settings)
        {
            if (warm != parameters.Mode)
            {
                Warm(parameters);
                warm = parameters.Mode;
            }

            points.Add(Measure(parameters, plan.Repeat));
            work.Report(new PhaseProgress("measuring", points.Count, settings.Length, Stopwatch.GetElapsedTime(start)));
        }

        return points;
    }

    private void Warm(SearchParameters parameters)
    {
        var pass = new QueryPass(collection, queries, parameters, work.Cancel);
        TimeSpan start = Environment.CpuUsage.TotalTime;
        while (Environment.CpuUsage.TotalTime - start < WarmUp)
        {
            pass.Find(1);
        }
    }

    /// <summary>Measures one setting: a pass for recall that also fills the caches, then <paramref name="repeat"/> timed passes of each kind.</summary>
    private EvalPoint Measure(SearchParameters parameters, int repeat)
    {
        var pass = new QueryPass(collection, queries, parameters, work.Cancel);
        (uint[] ids, SearchStats stats) = pass.Find(work.Threads);
        int count = (int)queries.Count;
        long[] ticks = new long[(long)count * repeat];
        double[] seconds = new double[repeat];
        double[] cpuSeconds = new double[repeat];
        double[] allSeconds = new double[repeat];
        for (int i = 0; i < repeat; i++)
        {
            (seconds[i], cpuSeconds[i]) = pass.TimeOne(ticks.AsSpan(i * count, count));
            allSeconds[i] = work.Threads == 1 ? seconds[i] : pass.TimeAll(work.Threads);
        }

        Array.Sort(ticks);
        return new EvalPoint
        {
            Search = parameters.Mode.Word(),
            Quantizer = collection.Facts.Quantizer,
            M = collection.Facts.M,
            K = parameters.K,
            L = parameters.L,
            Rerank = parameters.Depth,
            Curve = parameters.Rerank == 0 ? parameters.Mode.Word() : $"{parameters.Mode.Word()} {parameters.Rerank}",
            RecallAtK = truth.Recall(ids, parameters.K, parameters.K),
            RecallAt10 = parameters.K >= 10 ? truth.Recall(ids, parameters.K, 10) : null,
            Qps1 = count / Median(seconds),
            QpsCpu = count / Median(cpuSeconds),
            QpsAll = count / Median(allSeconds),
            P50Us = Percentile(ticks, 0.50),
            P95Us = Percentile(ticks, 0.95),
            P99Us = Percentile(ticks, 0.99),
            Hops = (double)stats.Hops / count,
            DistanceComputations = (double)stats.DistanceComputations / count,
            Reranked = (double)stats.Reranked / count,
            ResidentBytesPerVector = collection.ResidentBytesPerVector(parameters.Mode),
            MappedBytesPerVector = collection.MappedBytesPerVector(parameters.Mode),
        };
    }

    /// <summary>Processor and runtime, as a result should name them.</summary>
    public static string Machine()
    {
        string? cpu = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
            : null;
        return string.Create(
            CultureInfo.InvariantCulture, $"{cpu ?? "unknown processor"}, {Environment.ProcessorCount} logical cores, .NET {Environment.Version}");
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// <summary>The value that a share of all is at or below (nearest rank), in microseconds.</summary>
    private static double Percentile(long[] sortedTicks, double share) =>
        sortedTicks[Math.Max(0, (int)Math.Ceiling(share * sortedTicks.Length) - 1)] * 1e6 / Stopwatch.Frequency;
}
