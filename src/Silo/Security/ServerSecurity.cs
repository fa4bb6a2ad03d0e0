using System.Globalization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Signpost.Client;
using Signpost.Engine.Base;

namespace Signpost.Silo.Security;

/// <summary>What stands between the network and the server for clients: TLS, keys, limits. Its files are open, and read again when they change.</summary>
internal sealed class ServerSecurity
{
    /// <summary>Time before a slow body or answer counts as slow.</summary>
    private static readonly TimeSpan SlowGrace = TimeSpan.FromSeconds(5);

    /// <summary>What is left of a certificate that should have been renewed by now.</summary>
    private static readonly TimeSpan SoonEnded = TimeSpan.FromDays(3);

    private readonly SecurityOptions _options;
    private readonly Reloaded<ServerCertificate>? _certificate;
    private readonly Access _access;

    /// <summary>Opens the files.</summary>
    /// <param name="options">What fits together (<see cref="SecurityOptions.Validate"/>).</param>
    /// <param name="say">Takes a line for the operator.</param>
    /// <param name="time">Says when to look at the files again.</param>
    /// <exception cref="ProblemException">A file is not there or does not hold what it should.</exception>
    public ServerSecurity(SecurityOptions options, Action<string> say, TimeProvider time)
    {
        _options = options;
        string[] pem = options.CertificateKey is { } key ? [options.Certificate!, key] : [options.Certificate!];
        _certificate = options.Certificate is null ? null : new(pem, texts => ReadCertificate(texts, say, time), say, time);
        _access = new Access(options.Keys is { } keys ? new([keys], texts => ApiKeys.Parse(texts[0]), say, time) : null);
        Authorities = options.Authorities is { } authorities ? ReadAuthorities(authorities) : null;
        Peers = new PeerSecurity(
            options, _certificate, options.PeerSecret is { } secret ? new([secret], texts => PeerSecret.Parse(texts[0]), say, time) : null, Authorities);
    }

    /// <summary>The same between silos.</summary>
    public PeerSecurity Peers { get; }

    /// <summary>Who signs the certificates of silos and of Redis; null: whom the system trusts.</summary>
    public Trust? Authorities { get; }

    /// <summary>Limits what a connection may take, and speaks TLS where <paramref name="url"/> says so.</summary>
    public void Listen(KestrelServerOptions kestrel, string url)
    {
        var slowest = new MinDataRate(_options.BodyRateMin, SlowGrace);
        kestrel.Limits.MaxConcurrentConnections = _options.ConnectionsMax;
        kestrel.Limits.MaxRequestHeadersTotalSize = _options.HeaderBytesMax;
        kestrel.Limits.MaxRequestLineSize = Math.Min(kestrel.Limits.MaxRequestLineSize, _options.HeaderBytesMax);
        kestrel.Limits.MinRequestBodyDataRate = slowest;
        kestrel.Limits.MinResponseDataRate = slowest;
        if (url.StartsWith(Uri.UriSchemeHttps + ":", StringComparison.OrdinalIgnoreCase))
        {
            kestrel.ConfigureEndpointDefaults(endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http1; // as without TLS
                endpoint.UseHttps(Handshake(_certificate!, null));
            });
        }
    }

    /// <summary>Adds what <see cref="Use"/> needs.</summary>
    public void Add(IServiceCollection services)
    {
        if (_options.RequestsPerSecond > 0)
        {
            RateLimits.Add(services, _options.RequestsPerSecond);
        }
    }

    /// <summary>Goes before everything that answers, and behind what writes refusals.</summary>
    public void Use(WebApplication app)
    {
        app.Use((context, next) => _access.CheckAsync(context, next));
        if (_options.RequestsPerSecond > 0)
        {
            app.UseRateLimiter();
        }
    }

    /// <summary>TLS with the certificate that is in force when a connection comes.</summary>
    internal static TlsHandshakeCallbackOptions Handshake(Reloaded<ServerCertificate> certificate, Trust? clients) => new()
    {
        OnConnection = _ => ValueTask.FromResult(certificate.Value.ForServer(clients?.Policy())),
    };

    private static ServerCertificate ReadCertificate(string[] texts, Action<string> say, TimeProvider time)
    {
        var certificate = ServerCertificate.Parse(texts[0], texts[^1]);
        if (certificate.Leaf.NotAfter.ToUniversalTime() - time.GetUtcNow() < SoonEnded)
        {
            say(string.Create(CultureInfo.InvariantCulture, $"warning: the certificate ends at {certificate.Leaf.NotAfter.ToUniversalTime():u}; then nobody takes it"));
        }

        return certificate;
    }

    private static Trust ReadAuthorities(string file)
    {
        try
        {
            return Trust.Load(file);
        }
        catch (Exception e) when (Trust.IsOfFile(e))
        {
            throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, SecuritySettings.Authorities.YamlPath!, e.Message, "PEM with at least one certificate", "Mend the file."));
        }
    }
}
