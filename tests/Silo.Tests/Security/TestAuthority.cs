using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Signpost.Silo.Tests.Security;

/// <summary>An authority that signs certificates for tests; its key is never written.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _root;

    public TestAuthority()
    {
        var request = new CertificateRequest($"CN=authority {Guid.NewGuid():N}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        _root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-10), DateTimeOffset.UtcNow.AddDays(10));
    }

    /// <summary>Its certificate.</summary>
    public string Pem => _root.ExportCertificatePem();

    /// <summary>Writes a certificate for <paramref name="host"/>, names or addresses with commas between them, and its key.</summary>
    /// <param name="certificateFile">Where to write it.</param>
    /// <param name="keyFile">Where to write its key.</param>
    /// <param name="host">Whom it is for.</param>
    /// <param name="days">Days from now until it ends; it ended where they are negative.</param>
    /// <returns>Its thumbprint.</returns>
    public string Write(string certificateFile, string keyFile, string host = "127.0.0.1", int days = 5)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=signpost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (string name in host.Split(','))
        {
            if (IPAddress.TryParse(name, out IPAddress? address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 made = request.Create(
            _root, DateTimeOffset.UtcNow.AddDays(-9), DateTimeOffset.UtcNow.AddDays(days), RandomNumberGenerator.GetBytes(12));
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(certificateFile, made.ExportCertificatePem());
        return made.Thumbprint;
    }

    public void Dispose()
    {
        _root.Dispose();
        _key.Dispose();
    }
}
