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
internal sealed class Sweep(ISearchable collection, VectorBlock queries, GroundTruth truth, Work work)
{
    /// <summary>Measures every setting of <paramref name="plan"/>.</summary>
    public IReadOnlyList<EvalPoint> Run(SweepPlan plan)
    {
        SearchParameters[] settings = [.. plan.Settings()];
        var points = new List<EvalPoint>(settings.Length);
        long start = Stopwatch.GetTimestamp();
        SearchMode? warm = null;
        foreach (SearchParameters parameters in settings)
        {
            var measurement = new Measurement(collection, queries, parameters, work);
            if (warm != parameters.Mode)
            {
                measurement.Warm();
                warm = parameters.Mode;
            }

            measurement.Find();
            for (int i = 0; i < plan.Repeat; i++)
            {
                measurement.TimeOne();
                measurement.TimeAll();
            }

            string word = parameters.Mode.Word();
            points.Add(measurement.Point(truth, parameters.Rerank == 0 ? word : $"{word} {parameters.Rerank}"));
            work.Report(new PhaseProgress("measuring", points.Count, settings.Length, Stopwatch.GetElapsedTime(start)));
        }

        return points;
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
}
