using System.Globalization;
using Signpost.Silo.Eval;

namespace Signpost.Silo.Cli.Report;

/// <summary>The page of a sweep: two charts of speed against recall, the facts of the collection, all numbers as a table.</summary>
internal static class CurvePage
{
    /// <summary>The page of <paramref name="report"/>, which has at least one point.</summary>
    public static string Write(EvalReport report)
    {
        List<IGrouping<string, EvalPoint>> curves = [.. report.Points.GroupBy(p => p.Curve)];
        int k = report.Points[0].K;
        return HtmlPage.Write(
            $"{report.Build.Collection}: speed against recall",
            $"{PageText.Number(report.Queries, "N0")} queries, {k} neighbours each. Up and to the right is better. The recall axis is logarithmic in the misses.",
            report.Machine,
            $"""
            {HtmlPage.Facts(Facts(report))}
            {HtmlPage.Legend(Curves(curves, p => p.QpsCpu))}
            <div class="charts">
            {HtmlPage.Card("One thread", "queries per second of processor time", CurveChart.Draw(Curves(curves, p => p.QpsCpu), "queries per second of one thread against recall", k))}
            {HtmlPage.Card(Threads(report.Threads), "queries per second by the clock, all threads together", CurveChart.Draw(Curves(curves, p => p.QpsAll), "queries per second of all threads against recall", k))}
            </div>
            {HtmlPage.Table(EvalColumns.Heads(k), [.. curves.SelectMany((curve, i) => curve.Select(p => (Classes: $"c{i % PageText.Colours}", EvalColumns.Cells(p))))])}
            """);
    }

    private static string Threads(int threads) => threads == 1 ? "One thread, by the clock" : $"{threads} threads";

    private static List<Curve> Curves(IEnumerable<IGrouping<string, EvalPoint>> curves, Func<EvalPoint, double> speed) =>
        [.. curves.Select((curve, i) => new Curve(curve.Key, [.. curve.OrderBy(p => p.L).Select(p => new ChartPoint(p.RecallAtK, speed(p), Tip(p)))], i))];

    private static string Tip(EvalPoint p) => string.Create(
        CultureInfo.InvariantCulture,
        $"{p.Curve}, L = {p.L}|recall@{p.K}: {p.RecallAtK:0.0000}|{p.QpsCpu:N0} queries per CPU second|{p.Qps1:N0} queries/s on one thread|{p.QpsAll:N0} queries/s on all|p50 {p.P50Us:N0} us, p99 {p.P99Us:N0} us|{p.Hops:N0} hops, {p.DistanceComputations:N0} distances");

    private static List<(string Name, string Value)> Facts(EvalReport report)
    {
        BuildFacts build = report.Build;
        List<(string Name, string Value)> facts = [.. HtmlPage.FactsOf(build), ("full vectors", report.VectorPlace)];
        facts.Insert(5, ("codes", build.M is { } m ? $"{build.Quantizer}, M {m}, K {build.Codewords}" : "none"));
        if (build.BuildSeconds is { } seconds)
        {
            facts.Add(("built in", $"{PageText.Number(seconds, seconds < 10 ? "N1" : "N0")} s"));
        }

        return facts;
    }
}
