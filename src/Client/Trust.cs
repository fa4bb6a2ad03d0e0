using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Signpost.Client;

/// <summary>The authorities that certificates are trusted of, in place of those of the system.</summary>
internal sealed class Trust
{
    private readonly X509Certificate2Collection _roots;

    private Trust(X509Certificate2Collection roots) => _roots = roots;

    /// <summary>Reads a file of one or several certificates (PEM).</summary>
    /// <exception cref="Exception">One of those of <see cref="IsOfFile"/>.</exception>
    public static Trust Load(string file)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(File.ReadAllText(file));
        return roots.Count > 0 ? new Trust(roots) : throw new InvalidDataException($"no certificate in {file}");
    }

    /// <summary>Whether <paramref name="e"/> says that a file is not there or is none.</summary>
    public static bool IsOfFile(Exception e) => e is IOException or UnauthorizedAccessException or CryptographicException or InvalidDataException;

    /// <summary>TLS to a server whose certificate is signed by one of <paramref name="trust"/>, or of the system's, and has the name that is asked.</summary>
    public static SslClientAuthenticationOptions ForClient(Trust? trust) => new()
    {
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        CertificateChainPolicy = trust?.Policy(),
    };

    /// <summary>A policy of one connection's own: TLS adds to it.</summary>
    public X509ChainPolicy Policy()
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, TrustMode = X509ChainTrustMode.CustomRootTrust };
        policy.CustomTrustStore.AddRange(_roots);
        return policy;
    }
}
