using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Signpost.Bench.Cluster;

/// <summary>A certificate and an API key of a server on this machine, in files that are gone with this object.</summary>
internal sealed class Secrets : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("signpost-bench-").FullName;
    private readonly string _key = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
    private readonly X509Certificate2 _certificate;

    public Secrets()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=signpost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(At("certificate.pem"), $"{_certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
        File.WriteAllText(At("keys"), $"read bench {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(_key)))}\n");
    }

    /// <summary>What the server is told.</summary>
    public string[] Words => ["--certificate", At("certificate.pem"), "--keys", At("keys")];

    /// <summary>Gives a caller the key, and trust in the certificate.</summary>
    public void LetIn(HttpClient http, SocketsHttpHandler handler)
    {
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            RevocationMode = X509RevocationMode.NoCheck,
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { _certificate },
        };
        http.DefaultRequestHeaders.Authorization = new("Bearer", _key);
    }

    public void Dispose()
    {
        _certificate.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string At(string file) => Path.Combine(_folder, file);
}
