using Microsoft.AspNetCore.Http.Features;
using Signpost.Engine.Base;
using Signpost.Grains;
using Signpost.Grains.Wire;
using Signpost.Silo.Http;
using Signpost.Silo.Security;

namespace Signpost.Silo.Peers;

/// <summary>Answers other silos: reads a message whole, hands it to the shards, writes the answer. Refusals are problems (RFC 9457).</summary>
internal sealed class PeerApi(ShardGrain shards, PeerSecurity security)
{
    private delegate Task<byte[]> Call(ReadOnlyMemory<byte> request, CancellationToken cancel);

    /// <summary>Answers any request.</summary>
    public Task HandleAsync(HttpContext context) => security.Admits(context.Request) ? AnswerAsync(context) : Problems.WriteAsync(
        context, StatusCodes.Status401Unauthorized, "Unauthorized", PeerSecret.Header, "none that is known", "the secret that all silos share",
        "Give every silo the same file in security.peer_secret.");

    private Task AnswerAsync(HttpContext context) => context.Request.Path.Value switch
    {
        PeerPaths.Search => AnswerAsync(context, shards.SearchAsync, shards.Limits.SearchBytes),
        PeerPaths.Sample => AnswerAsync(context, shards.SampleAsync, shards.Limits.ControlBytes),
        PeerPaths.Trace => AnswerAsync(context, shards.TraceAsync, shards.Limits.ControlBytes),
        PeerPaths.EndTraces => AnswerAsync(context, shards.EndTracesAsync, shards.Limits.ControlBytes),
        PeerPaths.PrepareCodes => AnswerAsync(context, shards.PrepareCodesAsync, shards.Limits.ControlBytes),
        PeerPaths.DropCodes => AnswerAsync(context, shards.DropCodesAsync, shards.Limits.ControlBytes),
        _ => Problems.WriteAsync(context, Refusal(ProblemCode.NotFound, "path", $"'{context.Request.Path}'", "a path of this API")),
    };

    private static async Task AnswerAsync(HttpContext context, Call call, int most)
    {
        CancellationToken cancel = context.RequestAborted;
        try
        {
            if (WhyNot(context.Request, most) is { } problem)
            {
                await Problems.WriteAsync(context, problem);
                return;
            }

            byte[] request = GC.AllocateUninitializedArray<byte>((int)context.Request.ContentLength!.Value);
            await context.Request.Body.ReadExactlyAsync(request, cancel);
            byte[] answer = await call(request, cancel).WaitAsync(cancel); // the connection counts requests that were cancelled and go on
            context.Response.ContentType = Message.ContentType;
            context.Response.ContentLength = answer.Length;
            await context.Response.Body.WriteAsync(answer, cancel);
        }
        catch (ProblemException e)
        {
            await Problems.WriteAsync(context, e.Problem);
        }
        catch (Exception) when (cancel.IsCancellationRequested)
        {
            context.Abort(); // nobody waits for the answer any more
        }
        catch (Exception e) when (e is BadHttpRequestException or EndOfStreamException)
        {
            await Problems.WriteAsync(context, Refusal(ProblemCode.InvalidArgument, "body", e.Message, "as many bytes as the length says"));
        }
    }

    /// <summary>Why a request is not even read.</summary>
    private static Problem? WhyNot(HttpRequest request, int most) => request switch
    {
        { Method: not "POST" } => Refusal(ProblemCode.InvalidArgument, "method", request.Method, "POST"),
        { ContentType: not Message.ContentType } => Refusal(ProblemCode.InvalidArgument, "content type", $"'{request.ContentType}'", Message.ContentType),
        { ContentLength: null } => Refusal(ProblemCode.InvalidArgument, "content length", "none", $"at most {most} bytes"),
        { ContentLength: var length } when length > most => Refusal(ProblemCode.InvalidArgument, "content length", $"{length} bytes", $"at most {most}"),
        _ => null,
    };

    private static Problem Refusal(ProblemCode code, string what, string got, string expected) =>
        new(code, what, got, expected, "Run the same version of Signpost in all silos.");
}
