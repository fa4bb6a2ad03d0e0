using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Signpost.Engine.Base;

namespace Signpost.Silo.Http;

/// <summary>The endpoints under /v1/admin: what changes the cluster.</summary>
internal static class AdminApi
{
    public const string DrainPath = "/v1/admin/drain";
    public const string RebalancePath = "/v1/admin/rebalance";
    public const string TrainPath = "/v1/admin/train";

    private delegate ValueTask<Outcome<TReply>> Act<TBody, TReply>(IAdmin admin, TBody body, CancellationToken cancel);

    /// <summary>Adds the endpoints to <paramref name="app"/>.</summary>
    public static void Map(WebApplication app, Func<IAdmin> admin)
    {
        app.MapPost(DrainPath, Endpoint(admin, Wire.Json.DrainBody, Wire.Json.DrainReply, (a, body, _) => new(a.Drain(body))))
            .WithSummary("Lets everything leave the silo that is asked, and then end it.")
            .Accepts<DrainBody>("application/json")
            .Produces<DrainReply>()
            .Produces<ProblemReply>(StatusCodes.Status404NotFound, Problems.ContentType)
            .Produces<ProblemReply>(StatusCodes.Status503ServiceUnavailable, Problems.ContentType);
        app.MapPost(RebalancePath, Endpoint(admin, Wire.Json.RebalanceBody, Wire.Json.PlanReply, (a, body, _) => new(a.Rebalance(body))))
            .WithSummary("Balances once to a tighter tolerance than the leader by itself; the leader is to be asked, a dry run of any silo.")
            .Accepts<RebalanceBody>("application/json")
            .Produces<PlanReply>()
            .Produces<ProblemReply>(StatusCodes.Status404NotFound, Problems.ContentType);
        app.MapPost(TrainPath, Endpoint(admin, Wire.Json.TrainBody, Wire.Json.TrainingReply, (a, body, cancel) => a.TrainAsync(body, cancel)))
            .WithSummary("Begins a training of a collection, which the silo that is asked runs, or stops one; GET /v1/cluster tells how it goes.")
            .Accepts<TrainBody>("application/json")
            .Produces<TrainingReply>()
            .Produces<ProblemReply>(StatusCodes.Status400BadRequest, Problems.ContentType)
            .Produces<ProblemReply>(StatusCodes.Status404NotFound, Problems.ContentType)
            .Produces<ProblemReply>(StatusCodes.Status503ServiceUnavailable, Problems.ContentType);
    }

    private static Delegate Endpoint<TBody, TReply>(
        Func<IAdmin> admin, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TReply> replyType, Act<TBody, TReply> act) =>
        (HttpContext context) => AnswerAsync(context, admin(), bodyType, replyType, act);

    private static async Task AnswerAsync<TBody, TReply>(
        HttpContext context, IAdmin admin, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TReply> replyType, Act<TBody, TReply> act)
    {
        Outcome<TReply> outcome = await ReadAsync(context, bodyType) is { } body ? await act(admin, body, context.RequestAborted) : NoBody("null");
        if (outcome.Problem is { } problem)
        {
            await Problems.WriteAsync(context, problem);
            return;
        }

        await context.Response.WriteAsJsonAsync(outcome.Value!, replyType, cancellationToken: context.RequestAborted);
    }

    private static async Task<T?> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted);
        }
        catch (JsonException e)
        {
            throw new ProblemException(NoBody($"{e.Path}: what is there"));
        }
    }

    private static Problem NoBody(string got) => new(ProblemCode.InvalidArgument, "body", got, "an object as /openapi/v1.json describes it", "Mend the JSON.");
}
