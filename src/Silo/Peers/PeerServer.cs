using Microsoft.AspNetCore.Server.Kestrel.Core;
using Signpost.Grains;
using Signpost.Silo.Cluster;
using Signpost.Silo.Http;
using Signpost.Silo.Security;

namespace Signpost.Silo.Peers;

/// <summary>
/// The HTTP server for other silos, on a port of its own: HTTP/2 alone, with TLS where its address says so.
/// </summary>
internal sealed class PeerServer : IPeerServer
{
    /// <summary>Time for running requests to end. Searches need less; the work of a training is cancelled, and is done again elsewhere.</summary>
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(3);

    private readonly WebApplication _app;

    private PeerServer(WebApplication app) => _app = app;

    /// <inheritdoc/>
    public Uri Address => new(_app.Urls.First());

    /// <summary>Starts to answer for <paramref name="shards"/>.</summary>
    /// <param name="url">Address, http://HOST:PORT or https://HOST:PORT; port 0 takes a free one.</param>
    /// <param name="shards">What is asked.</param>
    /// <param name="cancel">Ends the start.</param>
    /// <param name="security">How silos know each other; null: they do not.</param>
    /// <exception cref="IOException">The address cannot be had.</exception>
    public static async Task<PeerServer> StartAsync(string url, ShardGrain shards, CancellationToken cancel, PeerSecurity? security = null)
    {
        security ??= PeerSecurity.None;
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(url).ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ConfigureEndpointDefaults(endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http2;
                security.Listen(endpoint, url);
            });
            kestrel.Limits.MaxRequestBodySize = shards.Limits.ControlBytes;

            // A silo that is gone without a word must not leave a training's work behind.
            kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(5);
            kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(5);
        });
        Server.LogToStandardError(builder);
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = StopTime);
        WebApplication app = builder.Build();
        app.Run(new PeerApi(shards, security).HandleAsync);
        try
        {
            await app.StartAsync(cancel);
            return new PeerServer(app);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Takes no new connections, lets running requests end, and stops.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
