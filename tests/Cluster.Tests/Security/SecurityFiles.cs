using Signpost.Silo.Security;
using Signpost.Silo.Tests.Security;

namespace Signpost.Cluster.Tests.Security;

/// <summary>What silos know each other by, in files.</summary>
internal static class SecurityFiles
{
    /// <summary>What a silo has: files in a folder of its own, which is made.</summary>
    /// <param name="folder">Where they are.</param>
    /// <param name="authority">Whom it trusts.</param>
    /// <param name="secret">Its secret; null: none.</param>
    /// <param name="host">Whom its certificate is for.</param>
    /// <param name="days">Days from now until that ends.</param>
    /// <param name="by">Who signs it; null: whom it trusts.</param>
    /// <param name="mutual">Whether it asks for certificates.</param>
    /// <param name="hasCertificate">Whether it has one.</param>
    public static PeerSecurity Of(
        string folder, TestAuthority authority, string? secret, string host = "127.0.0.1", int days = 5, TestAuthority? by = null, bool mutual = false,
        bool hasCertificate = true)
    {
        Directory.CreateDirectory(folder);
        string At(string file) => Path.Combine(folder, file);
        File.WriteAllText(At("ca.pem"), authority.Pem);
        (by ?? authority).Write(At("certificate.pem"), At("key.pem"), host, days);
        File.WriteAllText(At("secret"), secret);
        var options = new SecurityOptions
        {
            Certificate = hasCertificate ? At("certificate.pem") : null,
            CertificateKey = hasCertificate ? At("key.pem") : null,
            Authorities = At("ca.pem"),
            PeerSecret = secret is null ? null : At("secret"),
            NeedsPeerCertificate = mutual,
        };
        return new ServerSecurity(options, _ => { }, TimeProvider.System).Peers;
    }
}
