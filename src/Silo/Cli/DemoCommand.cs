using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Eval;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost demo</c>: the first five minutes. Makes vectors, builds, searches, measures, and says what to type next.</summary>
internal static class DemoCommand
{
    private const string Name = "demo";
    private const int Queries = 1000;
    private const int Repeat = 3;

    public static Command Make(CancellationToken cancel) => CommandLine.Verb(
        "demo",
        "See it work: make vectors (or take yours), build a collection, search it, compare with exact search.",
        cancel,
        [
            Settings.DemoData, Settings.OptionalQueries, Settings.Truth, Settings.DemoFolder, Settings.Count, Settings.Dim, Settings.DemoShards,
            Settings.MetricOf, Settings.R, Settings.DemoBuildL, Settings.C, Settings.Codes, Settings.M, Settings.Codewords, Settings.DemoL,
            Settings.Threads, Settings.Seed,
            Settings.MemoryLimitMb, Settings.Json,
        ],
        Run);

    private static void Run(Session session)
    {
        string? kept = session.Get(Settings.DemoFolder);
        if (kept is not null)
        {
            OutputPath.MustTakeFolder(Settings.DemoFolder.Name, kept);
        }

        string folder = kept ?? Directory.CreateTempSubdirectory("signpost-demo-").FullName;
        try
        {
            Directory.CreateDirectory(folder);
            Run(session, folder, kept is not null);
        }
        finally
        {
            if (kept is null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static void Run(Session session, string folder, bool isKept)
    {
        Work work = session.Work;
        (string dataPath, string queryPath) = Files(session, folder, work);
        string target = Path.Combine(folder, Name);
        using VectorBlock data = VectorFile.Open(dataPath);
        BuildOptions options = BuildCommand.Options(session, Name, data.Dim, session.Get(Settings.DemoShards), session.Get(Settings.DemoBuildL));
        long start = Stopwatch.GetTimestamp();
        CollectionBuilder.Build(FileDisk.Instance, target, new BuildInput(data), options with { Overwrite = true }, work).OrThrow();
        double buildSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

        using OpenCollection collection = OpenCollection.Open(target, VectorPlace.Mapped, requireAll: true, work);
        using VectorBlock queries = QuerySet.Open(queryPath, collection.Dim, collection.Type, collection.Metric);
        int k = (int)Math.Min(Settings.K.Fallback, data.Count);
        (GroundTruth truth, double? exactSeconds) = session.Get(Settings.Truth) is { } path
            ? (ExactTruth.Open(path, queries.Count, data.Count, k), null)
            : Widen(ExactTruth.Compute(data, queries, collection.Metric, k, work));

        int l = Math.Max(session.Get(Settings.DemoL), k);
        SearchMode[] modes = collection.HasCodes ? [SearchMode.Exact, SearchMode.CodesRerank] : [SearchMode.Exact];
        IReadOnlyList<EvalPoint> points = new Sweep(collection, queries, truth, work).Run(new SweepPlan(k, [l], modes, [0], Repeat));
        EvalPoint best = points[^1];
        var report = new DemoReport
        {
            Vectors = data.Count,
            Dim = data.Dim,
            Shards = collection.Facts.Shards,
            Queries = (int)queries.Count,
            Threads = work.Threads,
            BuildSeconds = buildSeconds,
            Search = best.Search,
            RecallAt10 = best.RecallAtK,
            Qps = best.QpsAll,
            P50Ms = best.P50Us / 1000,
            P99Ms = best.P99Us / 1000,
            ResidentBytesPerVector = best.ResidentBytesPerVector,
            ExactSearchQps = queries.Count / exactSeconds,
            Folder = isKept ? folder : null,
            Points = points,
        };
        if (session.Json)
        {
            ReportJson.Print(report, ReportJson.Default.DemoReport);
        }
        else
        {
            Print(session, report, dataPath, queryPath, target);
        }
    }

    private static (GroundTruth Truth, double? Seconds) Widen((GroundTruth Truth, double Seconds) computed) => computed;

    /// <summary>The user's files, or files of made-up vectors in <paramref name="folder"/>.</summary>
    private static (string Data, string Queries) Files(Session session, string folder, Work work)
    {
        (string? data, string? queries) = (session.Get(Settings.DemoData), session.Get(Settings.OptionalQueries));
        if ((data is null) != (queries is null) || (data is null && session.Get(Settings.Truth) is not null))
        {
            throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "--data and --queries", "one without the other", "both or neither",
                "Give base vectors and queries, or let the demo make both."));
        }

        if (data is not null)
        {
            return (data, queries!);
        }

        var synthetic = new SyntheticVectors(session.Get(Settings.Dim), (ulong)session.Get(Settings.Seed));
        string basePath = Path.Combine(folder, "base.fvecs");
        string queryPath = Path.Combine(folder, "queries.fvecs");
        using (VectorBlock block = synthetic.Base(session.Get(Settings.Count), work))
        {
            VectorFile.Write(basePath, block, work);
        }

        using (VectorBlock block = synthetic.Queries(Queries, work))
        {
            VectorFile.Write(queryPath, block, work);
        }

        return (basePath, queryPath);
    }

    private static void Print(Session session, DemoReport report, string data, string queries, string target)
    {
        session.Say("");
        session.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Vectors:N0} vectors of dim {report.Dim} in {PageText.Plural(report.Shards, "shard")}, built in {report.BuildSeconds:N1} s; {report.Queries:N0} queries, {PageText.Plural(report.Threads, "thread")}"));
        EvalColumns.Print(report.Points, Console.Out);
        if (report.ExactSearchQps is { } brute)
        {
            session.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"exact search, comparing with every vector: {brute:N0} queries/s; the graph gives {report.Qps / brute:0.#} times that"));
        }

        session.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Search}: recall@10 {report.RecallAt10:0.0000}, {report.Qps:N0} queries/s, p50 {report.P50Ms:0.00} ms, p99 {report.P99Ms:0.00} ms, {report.ResidentBytesPerVector:N0} bytes per vector in memory"));
        session.Say("");
        session.Say("next:");
        if (report.Folder is null)
        {
            session.Say($"  {Shell.Line("demo", "--folder", "demo-data")}    the same, and keeps the files");
            session.Say($"  {Shell.Line("build", "--help")}               your own vectors");
            return;
        }

        session.Say($"  {Shell.Line("eval", "--collection", target, "--queries", queries, "--data", data, "--html", "curves.html")}");
        session.Say($"  {Shell.Line("search", "--collection", target, "--queries", queries, "--k", "3")}");
        session.Say($"  {Shell.Line("serve", "--collection", target)}");
    }
}
