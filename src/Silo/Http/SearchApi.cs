using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;

namespace Signpost.Silo.Http;

/// <summary>The search endpoint: reads a request in either form, hands it to the search threads, writes the answer in the same form.</summary>
internal sealed class SearchApi(IReadOnlyDictionary<string, OpenCollection> collections, SearchThreads threads, SearchLimits limits)
{
    /// <summary>Most hits that one answer may hold: 16 MB of memory each million.</summary>
    private const int MostHits = 4_000_000;

    private static readonly string[] QueryKeys = ["k", "l", "mode", "rerank", "timeout_ms", "require"];

    /// <summary>Answers POST /v1/collections/{name}/search.</summary>
    public Task SearchAsync(HttpContext context)
    {
        string name = (string)context.Request.RouteValues["name"]!;
        if (!collections.TryGetValue(name, out OpenCollection? collection))
        {
            return Problems.WriteAsync(context, Unknown(name));
        }

        _ = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out MediaTypeHeaderValue? type);
        return type switch
        {
            _ when type is null || !(type.Charset.Length == 0 || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)) =>
                Problems.WriteAsync(context, WrongType(context), StatusCodes.Status415UnsupportedMediaType),
            _ when type.MediaType.Equals(BinaryBatch.ContentType, StringComparison.OrdinalIgnoreCase) => SearchBinaryAsync(context, collection),
            _ when type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) => SearchJsonAsync(context, collection),
            _ => Problems.WriteAsync(context, WrongType(context), StatusCodes.Status415UnsupportedMediaType),
        };
    }

    /// <summary>The problem of a collection that is not served.</summary>
    public Problem Unknown(string name) => new(
        ProblemCode.NotFound, "collection", $"'{name}'", collections.Count == 0 ? "none is served" : string.Join(" | ", collections.Keys.Order()),
        "Take one of GET /v1/collections.");

    private static Problem WrongType(HttpContext context) => new(
        ProblemCode.InvalidArgument, "content type", context.Request.ContentType is { Length: > 0 } type ? $"'{type}'" : "none",
        $"application/json in UTF-8, or {BinaryBatch.ContentType}", "Set the header content-type to what the body is.");

    private async Task SearchJsonAsync(HttpContext context, OpenCollection collection)
    {
        long start = Stopwatch.GetTimestamp();
        SearchBody? body = await context.Request.ReadFromJsonAsync(Wire.Json.SearchBody, context.RequestAborted);
        string? fault = body switch
        {
            null or { Vector: null, Vectors: null } => "neither vector nor vectors",
            { Vector: not null, Vectors: not null } => "both vector and vectors",
            { Vectors.Length: 0 } => "vectors without a vector",
            _ => null,
        };
        if (fault is not null)
        {
            await Problems.WriteAsync(context, new Problem(
                ProblemCode.InvalidArgument, "body", fault, "one of vector and vectors, not empty", "Give \"vector\": [...] or \"vectors\": [[...], ...]."));
            return;
        }

        float[][] vectors = body!.Vectors ?? [body.Vector!];
        Outcome<SearchBatch> run = await RunAsync(context, collection, body, vectors.Length, (row, query) => query.Set(vectors[row]));
        if (run.Problem is { } problem)
        {
            await Problems.WriteAsync(context, problem);
            return;
        }

        SearchBatch batch = run.Value!;
        double took = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        if (body.Vectors is not null)
        {
            var reply = new BatchReply([.. Enumerable.Range(0, batch.Count).Select(row => Item(batch, row))], took);
            await context.Response.WriteAsJsonAsync(reply, Wire.Json.BatchReply, cancellationToken: context.RequestAborted);
        }
        else if (batch.Answers[0].Problem is { } refused)
        {
            await Problems.WriteAsync(context, refused);
        }
        else
        {
            ItemReply item = Item(batch, 0);
            var reply = new SingleReply(item.Hits!, item.Coverage!, item.Missing, item.Stats!, took);
            await context.Response.WriteAsJsonAsync(reply, Wire.Json.SingleReply, cancellationToken: context.RequestAborted);
        }
    }

    private async Task SearchBinaryAsync(HttpContext context, OpenCollection collection)
    {
        Outcome<SearchBody> settings = ReadQueryString(context.Request.Query);
        if (settings.Problem is { } wrong)
        {
            await Problems.WriteAsync(context, wrong);
            return;
        }

        using var stream = new MemoryStream(capacity: (int)Math.Min(context.Request.ContentLength ?? 0, limits.RequestBytesMax));
        await context.Request.Body.CopyToAsync(stream, context.RequestAborted);
        ReadOnlyMemory<byte> body = stream.GetBuffer().AsMemory(0, (int)stream.Length);
        Outcome<int> count = BinaryBatch.Count(body.Span, collection.RowBytes);
        Outcome<SearchBatch> run = count.Problem is { } shape
            ? shape
            : await RunAsync(context, collection, settings.Value!, count.Value, (row, query) => BinaryBatch.Bind(body.Span, row, collection, query));
        Outcome<byte[]> answer = run.Problem is { } problem ? problem : BinaryBatch.Write(run.Value!);
        if (answer.Problem is { } refused)
        {
            await Problems.WriteAsync(context, refused);
            return;
        }

        Coverage least = run.Value!.Answers.Select(a => a.Value.Coverage).MinBy(c => c.ShardsAnswered);
        context.Response.ContentType = BinaryBatch.ContentType;
        context.Response.ContentLength = answer.Value!.Length;
        context.Response.Headers["Signpost-Shards-Answered"] = least.ShardsAnswered.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["Signpost-Shards"] = least.Shards.ToString(CultureInfo.InvariantCulture);
        await context.Response.Body.WriteAsync(answer.Value, context.RequestAborted);
    }

    /// <summary>Searches <paramref name="count"/> vectors; the problem is one of the request as a whole.</summary>
    private async Task<Outcome<SearchBatch>> RunAsync(
        HttpContext context, OpenCollection collection, SearchBody settings, int count, Func<int, Query, Problem?> bind)
    {
        Outcome<SearchRequest> request = limits.Read(settings, collection, out TimeSpan timeout);
        if (request.Problem is { } problem)
        {
            return problem;
        }

        int most = Math.Min(limits.BatchMax, MostHits / request.Value.Parameters.K);
        if (count > most)
        {
            return new Problem(ProblemCode.InvalidArgument, "vectors", $"{count}", $"1 .. {most} at k = {request.Value.Parameters.K}", "Send fewer vectors at once.");
        }

        var batch = new SearchBatch(collection, count, bind, request.Value, Deadline.After(timeout, context.RequestAborted));
        if (!threads.TryAdd(batch))
        {
            return new Problem(
                ProblemCode.Busy, "request", $"{threads.Waiting} vectors waiting", $"at most {limits.QueueMax} with those of this request",
                "Try again in a second.");
        }

        await batch.Done;
        return batch;
    }

    private static ItemReply Item(SearchBatch batch, int row)
    {
        if (batch.Answers[row].Problem is { } problem)
        {
            return new ItemReply { Status = problem.Code.ToString(), Problem = Problems.Reply(problem) };
        }

        SearchAnswer answer = batch.Answers[row].Value;
        (Coverage coverage, SearchStats stats) = (answer.Coverage, answer.Stats);
        ReadOnlySpan<Hit> hits = batch.Hits(row);
        var replies = new HitReply[hits.Length];
        for (int i = 0; i < hits.Length; i++)
        {
            replies[i] = new HitReply(hits[i].Id, hits[i].Distance);
        }

        return new ItemReply
        {
            Status = "ok",
            Hits = replies,
            Coverage = new CoverageReply(coverage.ShardsAnswered, coverage.Shards, coverage.VectorsAnswered, coverage.Vectors),
            Missing = answer.Missing.Count == 0 ? null : [.. answer.Missing.Select(m => new MissingReply(m.Shard.Number, m.Reason))],
            Stats = new StatsReply(stats.Hops, stats.DistanceComputations, stats.Reranked, stats.DeadlineReached),
        };
    }

    /// <summary>The settings of a binary batch; every key must be known and every number a number.</summary>
    private static Outcome<SearchBody> ReadQueryString(IQueryCollection query)
    {
        foreach ((string key, StringValues values) in query)
        {
            bool isText = key is "mode" or "require";
            if (!QueryKeys.Contains(key) || values.Count != 1 || (!isText && !int.TryParse(values[0], CultureInfo.InvariantCulture, out _)))
            {
                return new Problem(
                    ProblemCode.InvalidArgument, "query string", $"{key}={values}", $"{string.Join(" | ", QueryKeys)}, each at most once, numbers whole",
                    "Mend the query string.");
            }
        }

        return new SearchBody
        {
            K = Number("k"),
            L = Number("l"),
            Mode = query["mode"],
            Rerank = Number("rerank"),
            TimeoutMs = Number("timeout_ms"),
            Require = query["require"],
        };

        int? Number(string key) => query.TryGetValue(key, out StringValues text) ? int.Parse(text!, CultureInfo.InvariantCulture) : null;
    }
}
