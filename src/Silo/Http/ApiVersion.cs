using Microsoft.Extensions.Primitives;
using Signpost.Client.Wire;
using Signpost.Engine.Base;

namespace Signpost.Silo.Http;

/// <summary>Tells every client the version of the API, and refuses one that speaks another. A client that does not say is let in.</summary>
internal static class ApiVersion
{
    /// <summary>Goes before everything that answers.</summary>
    public static Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(() =>
        {
            context.Response.Headers[Api.VersionHeader] = Api.Version;
            return Task.CompletedTask;
        });
        return context.Request.Headers.TryGetValue(Api.VersionHeader, out StringValues asked) && asked != Api.Version
            ? Problems.WriteAsync(context, Other(asked))
            : next(context);
    }

    private static Problem Other(StringValues asked) => new(
        ProblemCode.UnsupportedVersion, $"header {Api.VersionHeader}", $"'{asked}'", Api.Version, "Use a client and a server of the same version of the API.");
}
