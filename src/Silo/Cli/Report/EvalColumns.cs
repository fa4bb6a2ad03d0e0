using Signpost.Silo.Eval;

namespace Signpost.Silo.Cli.Report;

/// <summary>The columns of a sweep, the same on the terminal and on the page.</summary>
internal static class EvalColumns
{
    /// <summary>Titles.</summary>
    public static string[] Heads(int k) =>
    [
        "search", "L", "rerank", $"recall@{k}", "QPS 1 thread", "QPS/CPU-s", "QPS all", "p50 us", "p95 us", "p99 us", "hops", "distances",
        "bytes/vector", "mapped",
    ];

    /// <summary>Values of a point, in the order of <see cref="Heads"/>.</summary>
    public static string[] Cells(EvalPoint p) =>
    [
        p.Search,
        PageText.Number(p.L, "0"),
        p.Rerank is { } depth ? PageText.Number(depth, "0") : "",
        PageText.Number(p.RecallAtK, "0.0000"),
        PageText.Number(p.Qps1, "N0"),
        PageText.Number(p.QpsCpu, "N0"),
        PageText.Number(p.QpsAll, "N0"),
        PageText.Number(p.P50Us, "N0"),
        PageText.Number(p.P95Us, "N0"),
        PageText.Number(p.P99Us, "N0"),
        PageText.Number(p.Hops, "N1"),
        PageText.Number(p.DistanceComputations, "N0"),
        PageText.Number(p.ResidentBytesPerVector, "N1"),
        PageText.Number(p.MappedBytesPerVector, "N0"),
    ];

    /// <summary>Columns of <see cref="Heads"/> that a narrow terminal is spared, in this order, until the table fits; the page and --json have all.</summary>
    private static readonly int[] Dispensable = [13, 8, 4, 11, 10, 2, 12, 9, 7, 5];

    /// <summary>Prints a table of <paramref name="points"/>, with as many columns as fit.</summary>
    public static void Print(IReadOnlyList<EvalPoint> points, TextWriter target) =>
        Terminal.Print(Heads(points[0].K), [.. points.Select(Cells)], Dispensable, target);
}
