using System.Diagnostics;
using System.Net.Sockets;
using System.Reflection;
using Microsoft.OpenApi;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Silo.Security;
using Signpost.Silo.Telemetry;

namespace Signpost.Silo.Http;

/// <summary>The HTTP server: Kestrel, the routes, the OpenAPI document, and an orderly end.</summary>
internal sealed class Server(IServed served, SearchThreads threads, SearchLimits limits, ServerSecurity security, SiloTelemetry telemetry)
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly SearchApi _search = new(served, threads, limits, telemetry);
    private volatile bool _stopping;

    /// <summary>Version of the program.</summary>
    public static string Version { get; } =
        typeof(Server).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";

    /// <summary>Serves until <paramref name="cancel"/>; then no new connections, and running requests get <paramref name="stopTime"/>.</summary>
    /// <param name="url">Address, http://HOST:PORT or https://HOST:PORT; port 0 takes a free one.</param>
    /// <param name="stopTime">Time for running requests to end.</param>
    /// <param name="listening">Told the real address once requests are answered.</param>
    /// <param name="leave">Done between the wish to end and the end of answering; /ready says meanwhile that this stops.</param>
    /// <param name="cancel">Ends it.</param>
    public async Task RunAsync(string url, TimeSpan stopTime, Action<string> listening, Func<Task> leave, CancellationToken cancel)
    {
        await using WebApplication app = Build(url, stopTime);
        await StartAsync(app, url, cancel);
        listening(app.Urls.First());
        await Task.Delay(Timeout.Infinite, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping = true;
        await leave();
        await app.StopAsync(CancellationToken.None);
    }

    /// <summary>What goes wrong in a server is a line on standard error.</summary>
    public static void LogToStandardError(IHostApplicationBuilder builder)
    {
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Warning).AddSimpleConsole(o => o.SingleLine = true);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
    }

    private static async Task StartAsync(WebApplication app, string url, CancellationToken cancel)
    {
        try
        {
            await app.StartAsync(cancel);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "--url", $"{url}: {e.GetBaseException().Message}", "an address of this machine and a port that is free",
                "Stop what listens there, or choose another port."));
        }
    }

    private WebApplication Build(string url, TimeSpan stopTime)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(url).ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = limits.RequestBytesMax;
            security.Listen(kestrel, url);
        });
        LogToStandardError(builder);
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None); // whoever starts the server says why it did not
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = stopTime);
        builder.Services.ConfigureHttpJsonOptions(o =>
        {
            o.SerializerOptions.PropertyNamingPolicy = Wire.Json.Options.PropertyNamingPolicy;
            o.SerializerOptions.TypeInfoResolverChain.Insert(0, Wire.Json);
        });
        builder.Services.AddOpenApi("v1", o => o.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo { Title = "Signpost", Version = Version, Description = "Vector search: the stored vectors nearest to a query." };
            return Task.CompletedTask;
        }));
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        security.Add(builder.Services);
        WebApplication app = builder.Build();
        app.Use((context, next) => ApiVersion.CheckAsync(context, next));
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = Problems.WriteExceptionAsync,
            SuppressDiagnosticsCallback = thrown => Problems.IsOfClient(thrown.Exception),
        });
        app.UseStatusCodePages(s => Problems.WriteStatusAsync(s.HttpContext));
        security.Use(app);
        Map(app);
        return app;
    }

    private void Map(WebApplication app)
    {
        app.MapOpenApi("/openapi/{documentName}.json");
        Dashboard.Map(app);
        app.MapGet("/health", Health).WithSummary("Whether the process lives, and its memory.");
        app.MapGet("/ready", Ready)
            .WithSummary("Whether requests are answered; 503 while starting or stopping.")
            .Produces<ReadyReply>()
            .Produces<ReadyReply>(StatusCodes.Status503ServiceUnavailable);
        app.MapGet("/metrics", (Delegate)telemetry.Page.WriteAsync)
            .WithSummary("Metrics, as Prometheus reads them.")
            .Produces<string>(StatusCodes.Status200OK, "text/plain", "application/openmetrics-text");
        app.MapGet("/v1/cluster", () => TypedResults.Ok(served.Describe(app.Urls.First(), threads.Waiting, telemetry.Traffic)))
            .WithSummary("The silos, and who of them holds what.");
        AdminApi.Map(app, () => served.Admin);
        app.MapGet("/v1/collections", () => TypedResults.Ok(All()))
            .WithSummary("All collections that are served.");
        app.MapGet("/v1/collections/{name}", GetCollection)
            .WithSummary("One collection.")
            .Produces<CollectionReply>()
            .Produces<ProblemReply>(StatusCodes.Status404NotFound, Problems.ContentType);
        RouteHandlerBuilder search = app.MapPost("/v1/collections/{name}/search", (string name, HttpContext context) => _search.SearchAsync(context));
        OpenApi.DescribeSearch(search);
    }

    private HealthReply Health() => new("ok", Version, Stopwatch.GetElapsedTime(_start).TotalSeconds, Environment.WorkingSet);

    private IResult Ready()
    {
        string status = _stopping ? "stopping" : served.NotReady ?? "ready";
        int code = status == "ready" ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return TypedResults.Json(new ReadyReply(status, threads.Waiting), Wire.Json.ReadyReply, statusCode: code);
    }

    private CollectionsReply All() => new([.. served.Collections.Select(Describe)]);

    private Task GetCollection(string name, HttpContext context) => served.Find(name) is { } collection
        ? context.Response.WriteAsJsonAsync(Describe(collection), Wire.Json.CollectionReply, cancellationToken: context.RequestAborted)
        : Problems.WriteAsync(context, _search.Unknown(name));

    private static CollectionReply Describe(IServedCollection collection) => new()
    {
        Name = collection.Name,
        Vectors = collection.Map.Vectors,
        Dim = collection.Dim,
        ElementType = collection.Type.Word(),
        Metric = collection.Metric.Word(),
        Shards = collection.Map.Shards.Length,
        Quantizer = collection.Quantizer,
        ResidentBytesPerVector = collection.ResidentBytesPerVector,
    };
}
