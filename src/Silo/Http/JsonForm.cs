using Signpost.Engine.Base;

namespace Signpost.Silo.Http;

/// <summary>A search as JSON: one vector with one answer, or several with a status each.</summary>
internal sealed class JsonForm : ISearchForm
{
    /// <inheritdoc/>
    public string ContentType => "application/json";

    /// <inheritdoc/>
    public async Task<Outcome<SearchInput>> ReadAsync(HttpContext context, IServedCollection collection)
    {
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
            return new Problem(
                ProblemCode.InvalidArgument, "body", fault, "one of vector and vectors, not empty", "Give \"vector\": [...] or \"vectors\": [[...], ...].");
        }

        float[][] vectors = body!.Vectors ?? [body.Vector!];
        return new SearchInput(body, vectors.Length, (row, query) => query.Set(vectors[row]));
    }

    /// <inheritdoc/>
    public async Task<Problem?> WriteAsync(HttpContext context, SearchInput input, SearchBatch batch, double tookMs)
    {
        if (input.Settings.Vectors is not null)
        {
            var all = new BatchReply([.. Enumerable.Range(0, batch.Count).Select(row => Replies.Of(batch, row))], tookMs);
            await context.Response.WriteAsJsonAsync(all, Wire.Json.BatchReply, cancellationToken: context.RequestAborted);
            return null;
        }

        if (batch.Answers[0].Problem is { } refused)
        {
            return refused;
        }

        ItemReply item = Replies.Of(batch, 0);
        var reply = new SingleReply(item.Hits!, item.Coverage!, item.Missing, item.Stats!, item.Explain, tookMs);
        await context.Response.WriteAsJsonAsync(reply, Wire.Json.SingleReply, cancellationToken: context.RequestAborted);
        return null;
    }
}
