using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using Signpost.Engine.Base;

namespace Signpost.Silo.Http;

/// <summary>Refusals as application/problem+json (RFC 9457).</summary>
internal static class Problems
{
    public const string ContentType = "application/problem+json";

    private const int RetryAfterSeconds = 1;

    /// <summary>The body for <paramref name="problem"/>.</summary>
    public static ProblemReply Reply(Problem problem, int? status = null) => new(
        $"urn:signpost:problem:{problem.Code}",
        $"{problem.What} refused",
        status ?? StatusOf(problem.Code),
        $"{problem.What}: got {problem.Got}, expected {problem.Expected}.",
        problem.Code.ToString(),
        problem.Got,
        problem.Expected,
        problem.Mend);

    /// <summary>Answers with <paramref name="problem"/>.</summary>
    public static Task WriteAsync(HttpContext context, Problem problem, int? status = null) => WriteAsync(context, Reply(problem, status));

    /// <summary>Answers with a refusal that is not of what is asked but of who asks.</summary>
    public static Task WriteAsync(HttpContext context, int status, string code, string what, string got, string expected, string mend) => WriteAsync(
        context, new ProblemReply($"urn:signpost:problem:{code}", $"{what} refused", status, $"{what}: got {got}, expected {expected}.", code, got, expected, mend));

    private static Task WriteAsync(HttpContext context, ProblemReply reply)
    {
        context.Response.StatusCode = reply.Status;
        if (reply.Status == StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.RetryAfter = $"{RetryAfterSeconds}";
        }

        return context.Response.WriteAsJsonAsync(reply, Wire.Json.ProblemReply, ContentType, context.RequestAborted);
    }

    /// <summary>Answers whatever an endpoint threw.</summary>
    public static Task WriteExceptionAsync(HttpContext context)
    {
        Exception? thrown = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        return thrown switch
        {
            ProblemException e => WriteAsync(context, e.Problem),
            BadHttpRequestException e => WriteAsync(context, Of(e, context), e.StatusCode),
            JsonException e => WriteAsync(context, Malformed(e)),
            _ => WriteAsync(context, Unexpected),
        };
    }

    /// <summary>Whether <paramref name="thrown"/> is the client's doing: answered, and not worth a line in the server's log.</summary>
    public static bool IsOfClient(Exception thrown) => thrown is ProblemException or BadHttpRequestException or JsonException or OperationCanceledException;

    /// <summary>Answers a path or method that does not exist.</summary>
    public static Task WriteStatusAsync(HttpContext context)
    {
        int status = context.Response.StatusCode;
        var problem = new Problem(
            status == StatusCodes.Status404NotFound ? ProblemCode.NotFound : ProblemCode.InvalidArgument,
            "request",
            $"{context.Request.Method} {context.Request.Path} with content type '{context.Request.ContentType}'",
            "a path, method and content type of /openapi/v1.json",
            "Compare with /openapi/v1.json.");
        return WriteAsync(context, problem, status);
    }

    private static readonly ProblemReply Unexpected = new(
        "urn:signpost:problem:Unexpected",
        "unexpected failure of the server",
        StatusCodes.Status500InternalServerError,
        "The request was understood and failed.",
        "Unexpected",
        "a failure",
        "an answer",
        "See the server's log, and report it.");

    /// <summary>In words of the API: the serializer's own name types of this program.</summary>
    private static Problem Malformed(JsonException e)
    {
        string where = $"line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}";
        string name = (e.Path ?? "$").Split('.', '[').ElementAtOrDefault(1) ?? "";
        string fault = e.InnerException is JsonException ? "text that is not JSON"
            : name.Length > 0 && !Wire.Json.SearchBody.Properties.Any(p => p.Name == name) ? "an unknown name"
            : "a value of the wrong type or size";
        return Malformed($"{fault} at {e.Path} ({where})");
    }

    private static Problem Malformed(string message) => new(
        ProblemCode.InvalidArgument, "body", message, "a search as /openapi/v1.json describes it", "Mend the JSON.");

    private static Problem Of(BadHttpRequestException e, HttpContext context) => e.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => TooLarge(context),
        StatusCodes.Status408RequestTimeout => new(
            ProblemCode.InvalidArgument, "body", "too few bytes a second", "at least security.body_rate_min", "Send it faster."),
        _ => Malformed(e.Message),
    };

    private static Problem TooLarge(HttpContext context) => new(
        ProblemCode.InvalidArgument,
        "body",
        $"{context.Request.ContentLength?.ToString() ?? "too many"} bytes",
        $"at most {context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize} bytes",
        "Send fewer vectors at once, or raise serve.request_mib_max.");

    private static int StatusOf(ProblemCode code) => code switch
    {
        ProblemCode.NotFound => StatusCodes.Status404NotFound,
        ProblemCode.AlreadyExists => StatusCodes.Status409Conflict,
        ProblemCode.Busy or ProblemCode.IncompleteCoverage or ProblemCode.NotEnoughMemory or ProblemCode.NotEnoughSpace or ProblemCode.StaleVersion => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status400BadRequest,
    };
}
