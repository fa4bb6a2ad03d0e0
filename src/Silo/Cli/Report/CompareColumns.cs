using System.Globalization;
using Signpost.Silo.Compare;

namespace Signpost.Silo.Cli.Report;

/// <summary>The columns of a comparison, the same on the terminal and on the page.</summary>
internal static class CompareColumns
{
    /// <summary>Titles.</summary>
    public static readonly string[] Heads =
    [
        "quantizer", "m", "k", "bytes", "search", "recall@10 L=100", "L at 95 %", "QPS at 95 %", "max recall", "next hop", "train s", "CPU s",
        "encode s", "MSE", "variance max/min", "bytes/vector", "hops at 95 %", "distances at 95 %",
    ];

    /// <summary>Columns that a narrow terminal is spared, in this order.</summary>
    private static readonly int[] Dispensable = [11, 12, 14, 16, 15, 13, 17, 9, 10, 8];

    /// <summary>Values of a row, in the order of <see cref="Heads"/>.</summary>
    public static string[] Cells(CompareRow row) =>
    [
        row.Quantizer,
        Show(row.M, "0"),
        Show(row.K, "0"),
        Show(row.CodeBytes, "0"),
        row.Search,
        Show(row.RecallAt10L100, "0.0000"),
        Show(row.LAt95, "0.0"),
        Show(row.QpsAt95, "N0"),
        Show(row.MaxRecallAt10, "0.0000"),
        Show(row.NextHopAgreement, "0.0000"),
        Show(row.TrainSeconds, "0.0"),
        Show(row.TrainCpuSeconds, "0.0"),
        Show(row.EncodeSeconds, "0.0"),
        Show(row.Mse, "G4"),
        Show(row.SubspaceVariances is { } shares && shares.Min() > 0 ? shares.Max() / shares.Min() : null, "G3"),
        Show(row.ResidentBytesPerVector, "N1"),
        Show(row.HopsAt95, "N1"),
        Show(row.DistanceComputationsAt95, "N0"),
    ];

    /// <summary>Prints a table of <paramref name="rows"/>, with as many columns as fit.</summary>
    public static void Print(IReadOnlyList<CompareRow> rows, TextWriter target) => Terminal.Print(Heads, [.. rows.Select(Cells)], Dispensable, target);

    /// <summary>A ratio in words; a dash where 95 % is not reached.</summary>
    public static string Line(CompareRatio ratio) => string.Create(
        CultureInfo.InvariantCulture,
        $"{ratio.Quantizer}, M {ratio.M}, K {ratio.K}, {ratio.Search}, over {ratio.Rival} and {ratio.Weaker}: QPS at 95 % {Times(ratio.QpsOverRival)} (exact codes {Times(ratio.QpsCeiling)}) and {Times(ratio.QpsOverWeaker)}, L at 95 % {Times(ratio.LOverRival)} and {Times(ratio.LOverWeaker)}, recall@10 at L = 100 {ratio.RecallOverRival:+0.0000;-0.0000} and {ratio.RecallOverWeaker:+0.0000;-0.0000}");

    private static string Times(double? ratio) => ratio is { } value ? $"x {PageText.Number(value, "0.00")}" : "-";

    private static string Show(double? value, string format) => value is { } number ? PageText.Number(number, format) : "-";
}
