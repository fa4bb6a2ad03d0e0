using System.Net.Http.Headers;
using Signpost.Client;
using Signpost.Engine.Base;
using Signpost.Silo.Security;

namespace Signpost.Silo.Cli;

/// <summary>Puts together from its settings what a server lets in, and with what a program asks one.</summary>
internal static class Guard
{
    /// <summary>Opens what the server's security needs, and warns of what is open to others.</summary>
    /// <exception cref="ProblemException">Settings do not fit together, or a file is none.</exception>
    public static ServerSecurity Open(Session session, Uri url, Uri? peerUrl)
    {
        var options = new SecurityOptions
        {
            Certificate = session.Get(SecuritySettings.Certificate),
            CertificateKey = session.Get(SecuritySettings.CertificateKey),
            Authorities = session.Get(SecuritySettings.Authorities),
            Keys = session.Get(SecuritySettings.Keys),
            PeerSecret = session.Get(SecuritySettings.PeerSecret),
            NeedsPeerCertificate = session.Get(SecuritySettings.PeerCertificateOf) == PeerCertificate.Required,
            RequestsPerSecond = session.Get(SecuritySettings.RateMax),
            ConnectionsMax = session.Get(SecuritySettings.ConnectionsMax),
            HeaderBytesMax = session.Get(SecuritySettings.HeaderKiBMax) << 10,
            BodyRateMin = session.Get(SecuritySettings.BodyRateMin),
        };
        if (options.Validate(url, peerUrl) is { } problem)
        {
            throw new ProblemException(problem);
        }

        var security = new ServerSecurity(options, Say, TimeProvider.System);
        foreach (string warning in options.Warnings(url, peerUrl))
        {
            Say(warning);
        }

        return security;
    }

    /// <summary>A client of the silos at these addresses, with the key and the authorities that the session has.</summary>
    public static SignpostClient ClientOf(Session session, params string[] urls) => new(new SignpostClientOptions
    {
        Addresses = urls,
        ApiKey = KeyOf(session),
        CaFile = session.Get(SecuritySettings.Authorities),
    });

    /// <summary>The same for what no client library asks.</summary>
    public static HttpClient HttpOf(Session session)
    {
        Trust? trust = session.Get(SecuritySettings.Authorities) is { } file ? Trust.Load(file) : null;
        var http = new HttpClient(new SocketsHttpHandler { SslOptions = Trust.ForClient(trust), AllowAutoRedirect = false, UseCookies = false });
        if (KeyOf(session) is { } key)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        return http;
    }

    private static string? KeyOf(Session session) => session.Get(SecuritySettings.KeyFile) is { } file ? File.ReadAllText(file).Trim()
        : Environment.GetEnvironmentVariable(SecuritySettings.KeyVariable) is { Length: > 0 } key ? key : null;

    /// <summary>Tells the operator, whatever is printed besides.</summary>
    internal static void Say(string line) => Console.Error.WriteLine($"signpost: {line}");
}
