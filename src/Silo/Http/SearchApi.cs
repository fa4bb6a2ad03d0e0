using System.Diagnostics;
using Microsoft.Net.Http.Headers;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Silo.Telemetry;

namespace Signpost.Silo.Http;

/// <summary>The search endpoint: reads a request in any form, hands it to the search threads, writes the answer in the same form.</summary>
internal sealed class SearchApi(IServed served, SearchThreads threads, SearchLimits limits, SiloTelemetry telemetry)
{
    /// <summary>Most hits that one answer may hold: 16 MB of memory each million.</summary>
    private const int MostHits = 4_000_000;

    private static readonly ISearchForm[] Forms = [new JsonForm(), new BinaryForm(), new MessagePackForm()];

    /// <summary>The content types that a search may have.</summary>
    public static IEnumerable<string> ContentTypes => Forms.Select(form => form.ContentType);

    /// <summary>Rows from their request to their answer, those that wait for other silos included.</summary>
    private readonly Admission _rows = new("vectors", limits.QueueMax);

    /// <summary>Answers POST /v1/collections/{name}/search.</summary>
    public async Task SearchAsync(HttpContext context)
    {
        RequestRecord record = telemetry.Begin(context);
        try
        {
            await SearchAsync(context, record);
            record.End(context.Response.StatusCode);
        }
        catch (Exception e)
        {
            Failed(context, record, e);
            throw; // it is answered by whoever answers all exceptions
        }
    }

    private async Task SearchAsync(HttpContext context, RequestRecord record)
    {
        string name = (string)context.Request.RouteValues["name"]!;
        if (served.Find(name) is not { } collection)
        {
            await Problems.WriteAsync(context, Unknown(name));
        }
        else if (FormOf(context) is not { } form)
        {
            await Problems.WriteAsync(context, WrongType(context), StatusCodes.Status415UnsupportedMediaType);
        }
        else if (await AnswerAsync(context, collection, form, record) is { } problem)
        {
            telemetry.Instruments.Refused(name, SiloTelemetry.OutcomeOf(problem.Code), record.Unsearched);
            await Problems.WriteAsync(context, problem);
        }
    }

    /// <summary>The problem of a collection that is not served; a silo that has just started does not know yet what is.</summary>
    public Problem Unknown(string name) => served.NotReady is { } reason
        ? new Problem(ProblemCode.Busy, "collection", $"'{name}', asked of a silo that is not ready: {reason}", "a silo that is ready", "Ask again soon, or ask another silo.")
        : new Problem(
            ProblemCode.NotFound, "collection", $"'{name}'", served.Collections.Any() ? string.Join(" | ", served.Collections.Select(c => c.Name)) : "none is served",
            "Take one of GET /v1/collections.");

    /// <summary>Tells of a request that ended by an exception; its vectors that were searched have been told of.</summary>
    private void Failed(HttpContext context, RequestRecord record, Exception e)
    {
        if (served.Find((string)context.Request.RouteValues["name"]!) is { } collection)
        {
            string outcome = context.RequestAborted.IsCancellationRequested ? "cancelled" : Problems.IsOfClient(e) ? "refused" : "error";
            telemetry.Instruments.Refused(collection.Name, outcome, record.Unsearched);
        }

        record.Fail(e);
    }

    /// <summary>The form that the content type names, in UTF-8 where there is text in it; null where it names none.</summary>
    private static ISearchForm? FormOf(HttpContext context) =>
        MediaTypeHeaderValue.TryParse(context.Request.ContentType, out MediaTypeHeaderValue? type)
        && (type.Charset.Length == 0 || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            ? Array.Find(Forms, form => type.MediaType.Equals(form.ContentType, StringComparison.OrdinalIgnoreCase))
            : null;

    private static Problem WrongType(HttpContext context) => new(
        ProblemCode.InvalidArgument, "content type", context.Request.ContentType is { Length: > 0 } type ? $"'{type}'" : "none",
        $"{string.Join(" | ", ContentTypes)}, in UTF-8", "Set the header content-type to what the body is.");

    /// <summary>Reads, searches, writes; or returns the problem of the request as a whole.</summary>
    private async Task<Problem?> AnswerAsync(HttpContext context, IServedCollection collection, ISearchForm form, RequestRecord record)
    {
        Outcome<SearchInput> input = await form.ReadAsync(context, collection);
        if (input.Problem is not null)
        {
            return input.Problem;
        }

        record.Read(collection.Name, input.Value!);
        Outcome<SearchBatch> run = await RunAsync(context, collection, input.Value!, record);
        return run.Problem
            ?? await form.WriteAsync(context, input.Value!, run.Value!, Stopwatch.GetElapsedTime(record.Arrived).TotalMilliseconds);
    }

    private async Task<Outcome<SearchBatch>> RunAsync(HttpContext context, IServedCollection collection, SearchInput input, RequestRecord record)
    {
        Outcome<SearchRequest> request = limits.Read(input.Settings, collection, out TimeSpan timeout);
        if (request.Problem is { } problem)
        {
            return problem;
        }

        int most = Math.Min(limits.BatchMax, MostHits / request.Value.Parameters.K);
        if (input.Count > most)
        {
            return new Problem(
                ProblemCode.InvalidArgument, "vectors", $"{input.Count}", $"1 .. {most} at k = {request.Value.Parameters.K}", "Send fewer vectors at once.");
        }

        var batch = new SearchBatch(collection, input.Count, input.Bind, request.Value, Deadline.After(timeout, context.RequestAborted), telemetry, record);
        if (_rows.TryEnter(input.Count) is { } full)
        {
            return full;
        }

        try
        {
            if (threads.TryAdd(SearchLane.OfClients, batch.Work) is { } busy)
            {
                return busy;
            }

            record.Unsearched = 0;
            await batch.Done;
            return batch;
        }
        finally
        {
            _rows.Leave(input.Count);
        }
    }
}
