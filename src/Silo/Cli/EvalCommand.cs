using System.CommandLine;
using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Eval;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost eval</c>: recall, speed and memory of a collection over a sweep of search settings.</summary>
internal static class EvalCommand
{
    public static Command Make(CancellationToken cancel) => CommandLine.Verb(
        "eval",
        "Measure a collection: recall against queries per second for a sweep of pool sizes, walks and re-ranking depths.",
        cancel,
        [
            Settings.Collection, Settings.Queries, Settings.Truth, Settings.OptionalData, Settings.K, Settings.Ls, Settings.Modes, Settings.Reranks,
            Settings.Repeat, Settings.Threads, Settings.Vectors, Settings.Html, Settings.DataFolder, Settings.Json,
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
        using VectorBlock queries = QuerySet.Open(session.Get(Settings.Queries)!, collection.Dim, collection.Type, collection.Metric);
        int k = session.Get(Settings.K);
        SweepPlan plan = Plan(session, collection, k);
        GroundTruth truth = Truth(session, collection, queries, k, work);
        IReadOnlyList<EvalPoint> points = new Sweep(collection, queries, truth, work).Run(plan);
        EvalReport report = new()
        {
            Build = collection.Facts,
            Queries = (int)queries.Count,
            Threads = work.Threads,
            VectorPlace = place.ToString().ToLowerInvariant(),
            Machine = Sweep.Machine(),
            Points = points,
        };
        if (session.Json)
        {
            ReportJson.Print(report, ReportJson.Default.EvalReport);
        }
        else
        {
            session.Say($"{report.Build.Collection}: {PageText.Number(report.Build.Vectors, "N0")} vectors, {PageText.Number(report.Queries, "N0")} queries, "
                + $"{PageText.Plural(report.Threads, "thread")}, full vectors {report.VectorPlace}");
            EvalColumns.Print(points, Console.Out);
        }

        if (session.Get(Settings.Html) is { } page)
        {
            File.WriteAllText(page, CurvePage.Write(report));
            session.Say($"curves: {page}");
        }
    }

    private static SweepPlan Plan(Session session, OpenCollection collection, int k)
    {
        SearchMode[] given = session.Get(Settings.Modes);
        SearchMode[] modes = given.Length > 0 ? given : collection.HasCodes ? [SearchMode.Exact, SearchMode.Codes, SearchMode.CodesRerank] : [SearchMode.Exact];
        var plan = new SweepPlan(k, session.Get(Settings.Ls), modes, session.Get(Settings.Reranks), session.Get(Settings.Repeat));
        foreach (SearchParameters parameters in plan.Settings())
        {
            if (collection.Validate(parameters) is { } problem)
            {
                throw new ProblemException(problem);
            }
        }

        return plan.Settings().Any() ? plan : throw new ProblemException(new Problem(
            ProblemCode.InvalidArgument, "--ls and --reranks", "no pool of at least k with a depth of k .. l", $"some l of at least {k}",
            "Give larger pools or a smaller k."));
    }

    /// <summary>Exact neighbours of the queries as the settings give them, or computed.</summary>
    internal static GroundTruth Truth(Session session, OpenCollection collection, VectorBlock queries, int k, Work work)
    {
        if (session.Get(Settings.Truth) is { } path)
        {
            return ExactTruth.Open(path, queries.Count, collection.Facts.Vectors, k);
        }

        if (session.Get(Settings.OptionalData) is not { } data)
        {
            throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "truth", "neither --truth nor --data", "one of them",
                "Give the exact neighbours, or the base vectors to compute them from."));
        }

        using VectorBlock vectors = VectorFile.Open(data);
        return vectors.Count == collection.Facts.Vectors && vectors.Dim == collection.Dim && vectors.Type == collection.Type
            ? ExactTruth.Compute(vectors, queries, collection.Metric, k, work).Truth
            : throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "--data", $"{vectors.Count} x {vectors.Dim} {vectors.Type}",
                $"{collection.Facts.Vectors} x {collection.Dim} {collection.Type}", "Give the file that the collection was built from."));
    }
}
