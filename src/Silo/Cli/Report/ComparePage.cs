using System.Globalization;
using Signpost.Silo.Compare;

namespace Signpost.Silo.Cli.Report;

/// <summary>The page of a comparison: for each kind of search speed and pool size against recall, and all rows as a table.</summary>
internal static class ComparePage
{
    private static readonly (string Search, string Title)[] Charts = [("codes", "Codes alone"), ("rerank", "Codes, then exact distances of the pool")];

    /// <summary>The page of <paramref name="report"/>, which has at least one row.</summary>
    public static string Write(CompareReport report)
    {
        var styles = new Styles(report.Rows);
        IEnumerable<string> cards =
            from chart in Charts
            let rows = report.Rows.Where(row => row.Search == chart.Search || row.Search == CompareRows.Exact).ToList()
            where rows.Count > 0
            from card in new[]
            {
                HtmlPage.Card(chart.Title, "queries per second of processor time; up and to the right is better",
                    CurveChart.Draw(Curves(rows, styles, p => p.Qps), $"{chart.Title}: queries per second against recall", Comparison.K)),
                HtmlPage.Card(chart.Title, "pool size that it takes; down and to the right is better",
                    CurveChart.Draw(Curves(rows, styles, p => p.L), $"{chart.Title}: pool size against recall", Comparison.K, "pool size L")),
            }
            select card;
        return HtmlPage.Write(
            $"{report.Build.Collection}: codes compared",
            $"{PageText.Number(report.Queries, "N0")} queries, {Comparison.K} neighbours each, on the same graphs. The recall axis is logarithmic in the misses.",
            report.Machine,
            $"""
            {HtmlPage.Facts([.. HtmlPage.FactsOf(report.Build), ("full vectors", report.VectorPlace), ("seed", PageText.Number(report.Seed, "0"))])}
            {HtmlPage.Legend(Curves([.. report.Rows.DistinctBy(row => row.Name)], styles, p => p.Qps))}
            <div class="charts">
            {string.Join('\n', cards)}
            </div>
            {HtmlPage.Table(CompareColumns.Heads, [.. report.Rows.Select(row => (styles.CurveOf(row, []).Classes, CompareColumns.Cells(row)))])}
            """);
    }

    private static List<Curve> Curves(IReadOnlyList<CompareRow> rows, Styles styles, Func<ComparePoint, double> value) =>
        [.. rows.Select(row => styles.CurveOf(row, [.. row.Points.Select(p => new ChartPoint(p.RecallAt10, value(p), Tip(row, p)))]))];

    private static string Tip(CompareRow row, ComparePoint p) => string.Create(
        CultureInfo.InvariantCulture,
        $"{row.Name}, {row.Search}, L = {p.L}|recall@{Comparison.K}: {p.RecallAt10:0.0000}|{p.Qps:N0} queries per CPU second|{p.Hops:N0} hops, {p.DistanceComputations:N0} distances");

    /// <summary>A colour for each method, dashes for each size.</summary>
    private sealed class Styles(IReadOnlyList<CompareRow> rows)
    {
        private readonly List<string> _methods = [.. rows.Select(row => row.Quantizer).Distinct()];
        private readonly List<(int?, int?)> _sizes = [.. rows.Where(row => row.M is not null).Select(row => (row.M, row.K)).Distinct()];

        public Curve CurveOf(CompareRow row, IReadOnlyList<ChartPoint> points) =>
            new(row.Name, points, _methods.IndexOf(row.Quantizer), Math.Max(0, _sizes.IndexOf((row.M, row.K))));
    }
}
