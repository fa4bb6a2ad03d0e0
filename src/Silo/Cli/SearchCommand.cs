using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Eval;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost search</c>: asks a collection for the neighbours of one vector or of a file of them.</summary>
internal static class SearchCommand
{
    /// <summary>Queries that are printed for people; a file of more is better written with --out.</summary>
    private const int MostShown = 20;

    public static Command Make(CancellationToken cancel) => CommandLine.Verb(
        "search",
        "Search a collection for the nearest vectors of one query or of a file of queries.",
        cancel,
        [
            Settings.Collection, Settings.OneQuery, Settings.OptionalQueries, Settings.K, Settings.L, Settings.Mode, Settings.Rerank,
            Settings.TimeoutMs,
            Settings.Threads, Settings.HitsOut, Settings.DataFolder, Settings.Json,
        ],
        Run);

    private static void Run(Session session)
    {
        Work work = session.Work;
        if (session.Get(Settings.HitsOut) is { } named)
        {
            OutputPath.MustTakeIds(Settings.HitsOut.Name, named);
        }

        using OpenCollection collection = OpenCollection.Open(
            session.CollectionFolder(session.Get(Settings.Collection)!), VectorPlace.Mapped, requireAll: false, work);
        foreach (string missing in collection.Missing)
        {
            Console.Error.WriteLine($"signpost: left out, answers are partial: {missing}");
        }

        using VectorBlock queries = Queries(session, collection);
        SearchParameters parameters = Defaults(session).Resolve(
            collection, null, session.Given(Settings.L) ? session.Get(Settings.L) : null, null,
            session.Given(Settings.Rerank) ? session.Get(Settings.Rerank) : null).OrThrow();
        long start = Stopwatch.GetTimestamp();
        SearchReportItem[] results = SearchAll(collection, queries, parameters, session.Get(Settings.TimeoutMs), work);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (session.Get(Settings.HitsOut) is { } target)
        {
            WriteIds(results, parameters.K, target);
        }

        var report = new SearchReport(collection.Facts.Collection, parameters.Mode.Word(), parameters.K, parameters.L, parameters.Depth, seconds, results);
        if (session.Json)
        {
            ReportJson.Print(report, ReportJson.Default.SearchReport);
        }
        else
        {
            Print(session, report);
        }
    }

    /// <summary>settings of a search as this command was given them.</summary>
    internal static SearchDefaults Defaults(Session session) =>
        new(session.Get(Settings.K), session.Get(Settings.L), session.Get(Settings.Mode), session.Get(Settings.Rerank));

    private static VectorBlock Queries(Session session, OpenCollection collection)
    {
        string? one = session.Get(Settings.OneQuery);
        string? file = session.Get(Settings.OptionalQueries);
        if ((one is null) == (file is null))
        {
            throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "queries", one is null ? "neither --query nor --queries" : "both --query and --queries", "one of them",
                "Give --query \"1,2,3\" or --queries FILE."));
        }

        return file is not null ? QuerySet.Open(file, collection.Dim, collection.Type, collection.Metric) : QuerySet.Parse(one!, collection);
    }

    private static SearchReportItem[] SearchAll(OpenCollection collection, VectorBlock queries, SearchParameters parameters, int timeoutMs, Work work)
    {
        var results = new SearchReportItem[queries.Count];
        Query[] bound = [.. Enumerable.Range(0, work.Threads).Select(_ => collection.NewQuery())];
        work.For("searching", queries.Count, chunk: 16, (from, to, worker) =>
        {
            var hits = new Hit[parameters.K];
            for (long i = from; i < to; i++)
            {
                bound[worker].SetRow(queries.RowSpan(i));
                Deadline deadline = Deadline.After(TimeSpan.FromMilliseconds(timeoutMs), work.Cancel);
                SearchAnswer answer = collection.Search(bound[worker], new SearchRequest(parameters), deadline, hits).OrThrow();
                results[i] = new SearchReportItem(
                    (int)i,
                    [.. hits.Take(answer.Count).Select(h => h.Id)],
                    [.. hits.Take(answer.Count).Select(h => h.Distance)],
                    answer.Coverage.ShardsAnswered,
                    answer.Coverage.Shards,
                    answer.Stats.Hops,
                    answer.Stats.DistanceComputations,
                    answer.Stats.DeadlineReached);
            }
        });
        Array.ForEach(bound, query => query.Dispose());
        return results;
    }

    private static void WriteIds(SearchReportItem[] results, int k, string target)
    {
        uint[] ids = new uint[results.Length * k];
        Array.Fill(ids, GroundTruth.Missing);
        foreach (SearchReportItem item in results)
        {
            for (int j = 0; j < item.Ids.Length; j++)
            {
                ids[(item.Query * k) + j] = (uint)item.Ids[j];
            }
        }

        new GroundTruth(k, ids).Write(target);
    }

    private static void Print(Session session, SearchReport report)
    {
        foreach (SearchReportItem item in report.Results.Take(MostShown))
        {
            session.Say(string.Create(
                CultureInfo.InvariantCulture,
                $"query {item.Query}: {item.Ids.Length} hits, {item.Hops:N0} hops, {item.DistanceComputations:N0} distances, {item.ShardsAnswered} of {item.Shards} shards{(item.DeadlineReached ? ", stopped by the deadline" : "")}"));
            for (int j = 0; j < item.Ids.Length; j++)
            {
                session.Say(string.Create(CultureInfo.InvariantCulture, $"{j + 1,6}  id {item.Ids[j],-12} distance {item.Distances[j]:G7}"));
            }
        }

        if (report.Results.Length > MostShown)
        {
            session.Say($"... and {report.Results.Length - MostShown} queries more; --out FILE.ivecs or --json gives all.");
        }

        session.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Results.Length:N0} queries in {report.Seconds:0.000} s ({report.Mode}, k {report.K}, l {report.L})"));
    }
}
