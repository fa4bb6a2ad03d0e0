using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Signpost.Engine.Base;

namespace Signpost.Silo.Security;

/// <summary>The certificate by which a server shows who it is, with its key and the certificates between it and its authority.</summary>
internal sealed class ServerCertificate
{
    private readonly SslStreamCertificateContext _context;

    private ServerCertificate(SslStreamCertificateContext context) => _context = context;

    /// <summary>The certificate with its key.</summary>
    public X509Certificate2 Leaf => _context.TargetCertificate;

    /// <summary>Reads PEM: the certificate first, then those above it; and its key without a password.</summary>
    /// <exception cref="ProblemException">They are none, or do not belong together.</exception>
    public static ServerCertificate Parse(string certificates, string key)
    {
        try
        {
            var all = new X509Certificate2Collection();
            all.ImportFromPem(certificates);
            X509Certificate2 leaf = X509Certificate2.CreateFromPem(certificates, key);
            if (OperatingSystem.IsWindows())
            {
                leaf = X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), null); // there, TLS takes no key that is in memory alone
            }

            return new ServerCertificate(SslStreamCertificateContext.Create(leaf, new X509Certificate2Collection(all.Skip(1).ToArray()), offline: true));
        }
        catch (Exception e) when (e is System.Security.Cryptography.CryptographicException or ArgumentException)
        {
            throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "the certificate and its key", e.Message, "PEM: a certificate, and the key that belongs to it, without a password",
                "Mend the files; docs/operations.md, Security, tells how to make them."));
        }
    }

    /// <summary>How a server does TLS with it, for one connection.</summary>
    /// <param name="clients">Who may have signed the certificate that a client must show; null where clients show none.</param>
    public SslServerAuthenticationOptions ForServer(X509ChainPolicy? clients = null) => new()
    {
        ServerCertificateContext = _context,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ClientCertificateRequired = clients is not null,
        CertificateChainPolicy = clients,
    };
}
