using System.CommandLine;
using Signpost.Engine.Base;
using Signpost.Engine.Vectors;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Compare;
using Signpost.Silo.Eval;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost compare</c>: kinds of codes against each other at equal bytes, on the graphs of a built collection.</summary>
internal static class CompareCommand
{
    public static Command Make(CancellationToken cancel) => CommandLine.Verb(
        "compare",
        "Compare kinds of codes of equal bytes on the graphs of a collection. Codes are made in memory; the collection stays as it is.",
        cancel,
        [
            Settings.Collection, Settings.Queries, Settings.Truth, Settings.OptionalData, Settings.Methods, Settings.CodeSizes, Settings.CodewordsOf,
            Settings.CompareLs, Settings.Rounds, .. RpqSettings.All, Settings.Seed, Settings.Threads, Settings.Vectors, Settings.Html, Settings.DataFolder, Settings.Json,
        ],
        Run);

    private static void Run(Session session)
    {
        Work work = session.Work;
        if (session.Get(Settings.Html) is { } named)
        {
            OutputPath.MustTakeFile(Settings.Html.Name, named);
        }

        VectorPlace place = session.Get(Settings.Vectors);
        using OpenCollection collection = OpenCollection.Open(session.CollectionFolder(session.Get(Settings.Collection)!), place, requireAll: true, work);
        if (collection.Shards.Manifest.WhyNotWhole("comparing") is { } parts)
        {
            throw new ProblemException(parts);
        }

        using VectorBlock queries = QuerySet.Open(session.Get(Settings.Queries)!, collection.Dim, collection.Type, collection.Metric);
        int seed = session.Get(Settings.Seed);
        var plan = new ComparePlan(
            [.. session.Get(Settings.Methods).Select(name => CompareMethod.Of(name, rpq => RpqSettings.Apply(session, rpq)))], session.Get(Settings.CodeSizes), session.Get(Settings.CodewordsOf),
            session.Get(Settings.CompareLs), session.Get(Settings.Rounds), (ulong)seed);
        if (plan.Refusal(collection.Dim, collection.Metric) is { } problem)
        {
            throw new ProblemException(problem);
        }

        GroundTruth truth = EvalCommand.Truth(session, collection, queries, Comparison.K, work);
        IReadOnlyList<CompareRow> rows = new Comparison(collection, queries, truth, work).Run(plan);
        var report = new CompareReport
        {
            Build = collection.Facts,
            Queries = (int)queries.Count,
            Rounds = plan.Rounds,
            Seed = seed,
            VectorPlace = place.ToString().ToLowerInvariant(),
            Machine = Sweep.Machine(),
            Rows = rows,
            Ratios = CompareRows.Ratios(rows),
        };
        Print(session, report);
        if (session.Get(Settings.Html) is { } page)
        {
            File.WriteAllText(page, ComparePage.Write(report));
            session.Say($"curves: {page}");
        }
    }

    private static void Print(Session session, CompareReport report)
    {
        if (session.Json)
        {
            ReportJson.Print(report, ReportJson.Default.CompareReport);
            return;
        }

        session.Say($"{report.Build.Collection}: {PageText.Number(report.Build.Vectors, "N0")} vectors of dim {report.Build.Dim}, "
            + $"{PageText.Number(report.Queries, "N0")} queries, {PageText.Plural(report.Rounds, "round")}; QPS by processor time of one thread");
        CompareColumns.Print(report.Rows, Console.Out);
        foreach (CompareRatio ratio in report.Ratios)
        {
            session.Say(CompareColumns.Line(ratio));
        }
    }
}
