using System.Net.Security;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Signpost.Client;

namespace Signpost.Silo.Security;

/// <summary>How silos of a cluster know each other: TLS both ways as the addresses say, and a secret in every request.</summary>
internal sealed class PeerSecurity(SecurityOptions options, Reloaded<ServerCertificate>? certificate, Reloaded<PeerSecret>? secret, Trust? authorities)
{
    /// <summary>Nothing: silos of one machine, or of a network that is a secret itself.</summary>
    public static PeerSecurity None { get; } = new(new SecurityOptions(), null, null, null);

    /// <summary>Speaks TLS where <paramref name="url"/> says so, and asks for a certificate where one is required.</summary>
    public void Listen(ListenOptions endpoint, string url)
    {
        if (url.StartsWith(Uri.UriSchemeHttps + ":", StringComparison.OrdinalIgnoreCase))
        {
            endpoint.UseHttps(ServerSecurity.Handshake(certificate!, options.NeedsPeerCertificate ? authorities : null));
        }
    }

    /// <summary>Whether a request comes from a silo of the cluster.</summary>
    public bool Admits(HttpRequest request) => Admits(PeerSecret.HashOf(request.Headers[PeerSecret.Header].ToString()));

    /// <summary>Whether who shows the hash of a secret is a silo of the cluster.</summary>
    public bool Admits(ReadOnlySpan<byte> hash) => secret is null || secret.Value.IsKnown(hash);

    /// <summary>How TLS is done with a silo that has connected: it must show a certificate where one is required.</summary>
    public SslServerAuthenticationOptions ForServer() => certificate!.Value.ForServer(options.NeedsPeerCertificate ? authorities!.Policy() : null);

    /// <summary>How TLS to another silo is done: its certificate must be signed and have the name of its address; this one's is shown if it asks.</summary>
    public SslClientAuthenticationOptions ForClient()
    {
        SslClientAuthenticationOptions tls = Trust.ForClient(authorities);
        if (certificate is not null)
        {
            tls.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate.Value.Leaf;
        }

        return tls;
    }

    /// <summary>Shows the secret.</summary>
    /// <inheritdoc cref="Shown"/>
    public void Sign(HttpRequestMessage request)
    {
        if (Shown(request.RequestUri!) is { Length: > 0 } shown)
        {
            request.Headers.Add(PeerSecret.Header, shown);
        }
    }

    /// <summary>The secret, for a silo at <paramref name="address"/>; empty where there is none.</summary>
    /// <exception cref="IOException">Others could read it on the way: nothing is sent. Addresses come from Redis, whoever writes there.</exception>
    public string Shown(Uri address) => secret is null ? ""
        : SecurityOptions.IsSecret(address) ? secret.Value.Sent
        : throw new IOException($"{address.GetLeftPart(UriPartial.Authority)} is not asked: the peer secret is sent over https alone");
}
