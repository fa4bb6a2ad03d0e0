using System.CommandLine;
using System.Diagnostics;
using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Eval;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost exact</c>: the true neighbours, by comparing every query with every vector.</summary>
internal static class ExactCommand
{
    public static Command Make(CancellationToken cancel) => CommandLine.Verb(
        "exact",
        "Compute the exact nearest neighbours of queries: the truth that recall is measured against.",
        cancel,
        [Settings.Data, Settings.Queries, Settings.TruthOut, Settings.TruthK, Settings.MetricOf, Settings.Threads, Settings.Json],
        Run);

    private static void Run(Session session)
    {
        string target = session.Get(Settings.TruthOut)!;
        OutputPath.MustTakeIds(Settings.TruthOut.Name, target);
        Metric metric = session.Get(Settings.MetricOf);
        using VectorBlock data = VectorFile.Open(session.Get(Settings.Data)!);
        using VectorBlock queries = QuerySet.Open(session.Get(Settings.Queries)!, data.Dim, data.Type, metric);
        (GroundTruth truth, double seconds) = ExactTruth.Compute(data, queries, metric, session.Get(Settings.TruthK), session.Work);
        truth.Write(target);
        var report = new ExactReport(target, truth.QueryCount, data.Count, truth.K, seconds, truth.QueryCount / seconds);
        if (session.Json)
        {
            ReportJson.Print(report, ReportJson.Default.ExactReport);
            return;
        }

        session.Say($"{PageText.Number(report.Queries, "N0")} queries against {PageText.Number(report.Vectors, "N0")} vectors, {report.K} neighbours each: "
            + $"{PageText.Number(seconds, "N1")} s, {PageText.Number(report.QueriesPerSecond, "N0")} queries/s, written to {target}");
    }
}
