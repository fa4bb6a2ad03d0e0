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
    public bool Admits(HttpRequest request) => secret is null || secret.Value.IsKnown(request.Headers[PeerSecret.Header].ToString());

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
    /// <exception cref="IOException">Others could read it on the way: nothing is sent. Addresses come from Redis, whoever writes there.</exception>
    public void Sign(HttpRequestMessage request)
    {
        if (secret is null)
        {
            return;
        }

        if (!SecurityOptions.IsSecret(request.RequestUri!))
        {
            throw new IOException($"{request.RequestUri!.GetLeftPart(UriPartial.Authority)} is not asked: the peer secret is sent over https alone");
        }

        request.Headers.Add(PeerSecret.Header, secret.Value.Sent);
    }
}
