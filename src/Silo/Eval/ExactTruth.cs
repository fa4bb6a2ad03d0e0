using System.Diagnostics;
using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;

namespace Signpost.Silo.Eval;

/// <summary>Exact neighbours, read from a file or computed.</summary>
internal static class ExactTruth
{
    /// <summary>Names of files of ids end with one of these.</summary>
    public static readonly string[] Extensions = [".ivecs", ".bin", ".ibin", ".gt"];

    /// <summary>Whether <paramref name="path"/> is named as a file of ids.</summary>
    public static bool IsName(string path) => Extensions.Contains(Path.GetExtension(path).ToLowerInvariant());

    /// <summary>The <paramref name="k"/> (at most all) true neighbours of every query, and the seconds that it took.</summary>
    public static (GroundTruth Truth, double Seconds) Compute(VectorBlock data, VectorBlock queries, Metric metric, int k, Work work)
    {
        int depth = (int)Math.Min(k, data.Count);
        var found = new Neighbour[queries.Count * depth];
        long start = Stopwatch.GetTimestamp();
        ExactSearch.TopK(data, queries, metric, depth, work, found);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return (new GroundTruth(depth, [.. found.Select(n => n.Id)], [.. found.Select(n => n.Distance)]), seconds);
    }

    /// <summary>The truth of <paramref name="path"/>, refused unless it fits the queries and is at least <paramref name="k"/> deep.</summary>
    public static GroundTruth Open(string path, long queryCount, long baseCount, int k)
    {
        GroundTruth truth = GroundTruth.Open(path);
        Problem? problem = truth.Mismatch(queryCount, baseCount) ?? (truth.K >= k ? null : new Problem(
            ProblemCode.InvalidArgument, $"the ground truth {path}", $"{truth.K} neighbours a query", $"at least k = {k}",
            "Ask for a smaller k, or compute a deeper truth."));
        return problem is null ? truth : throw new ProblemException(problem);
    }
}
