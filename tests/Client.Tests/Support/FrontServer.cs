using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Signpost.Client.Tests.Support;

/// <summary>A real HTTP server on a free port that answers as a test wants: what no silo of this version would do.</summary>
internal sealed class FrontServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _requests;

    private FrontServer(RequestDelegate answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.Run(context =>
        {
            Interlocked.Increment(ref _requests);
            return answer(context);
        });
    }

    public string Url => _app.Urls.First() + "/";

    /// <summary>Requests that came.</summary>
    public int Requests => Volatile.Read(ref _requests);

    public static async Task<FrontServer> StartAsync(RequestDelegate answer)
    {
        var server = new FrontServer(answer);
        await server._app.StartAsync();
        return server;
    }

    /// <summary>Answers with a status and JSON, as version <paramref name="version"/> of the API; null: without a version.</summary>
    public static Task<FrontServer> StartAsync(int status, string json, string? version = "1", string type = "application/json") =>
        StartAsync(context => AnswerAsync(context, status, json, version, type));

    public static Task AnswerAsync(HttpContext context, int status, string json, string? version = "1", string type = "application/json")
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        if (version is not null)
        {
            context.Response.Headers["Signpost-Api"] = version;
        }

        return context.Response.WriteAsync(json);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
