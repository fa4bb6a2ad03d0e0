using Signpost.Engine.Base;

namespace Signpost.Silo.Security;

/// <summary>What a server is told about who may reach it, and how much of it they may take. Paths are of files; null where there is none.</summary>
internal sealed record SecurityOptions
{
    /// <summary>PEM of the certificate, with those above it.</summary>
    public string? Certificate { get; init; }

    /// <summary>PEM of its key; null: it is in the same file.</summary>
    public string? CertificateKey { get; init; }

    /// <summary>PEM of the authorities of other silos; null: those of the system.</summary>
    public string? Authorities { get; init; }

    /// <summary>The list of API keys.</summary>
    public string? Keys { get; init; }

    /// <summary>The secret that silos share.</summary>
    public string? PeerSecret { get; init; }

    /// <summary>Whether other silos must show a certificate of <see cref="Authorities"/>.</summary>
    public bool NeedsPeerCertificate { get; init; }

    /// <summary>Requests a second of one key or address; 0: as many as there are.</summary>
    public int RequestsPerSecond { get; init; }

    /// <summary>Connections at a time.</summary>
    public int ConnectionsMax { get; init; } = SecuritySettings.ConnectionsMax.Fallback;

    /// <summary>Bytes of all headers of a request.</summary>
    public int HeaderBytesMax { get; init; } = SecuritySettings.HeaderKiBMax.Fallback << 10;

    /// <summary>Bytes a second of a request's body.</summary>
    public int BodyRateMin { get; init; } = SecuritySettings.BodyRateMin.Fallback;

    /// <summary>What cannot be together, all at once; null where everything fits.</summary>
    /// <param name="url">Where clients ask.</param>
    /// <param name="peerUrl">Where other silos ask; null where there are none.</param>
    public Problem? Validate(Uri url, Uri? peerUrl)
    {
        var problems = new List<Problem>();
        foreach ((string name, Uri? asked) in new[] { (Settings.Url.YamlPath!, url), (Settings.PeerUrl.YamlPath!, peerUrl) })
        {
            Require(
                asked?.Scheme != Uri.UriSchemeHttps || Certificate is not null, name, $"{asked} and no certificate",
                "security.certificate and its key where an address is https", "Name the files, or write http.");
        }

        Require(
            PeerSecret is null || peerUrl is null || IsSecret(peerUrl), SecuritySettings.PeerSecret.YamlPath!, $"a secret, and {peerUrl}",
            "an https cluster.peer_url, or a loopback address", "A secret is not sent in clear: write https.");
        Require(
            !NeedsPeerCertificate || (peerUrl?.Scheme == Uri.UriSchemeHttps && Authorities is not null), SecuritySettings.PeerCertificateOf.YamlPath!, "required",
            "an https cluster.peer_url, and security.ca", "Without security.ca any certificate of a public authority would do: name the file.");
        return Problem.Join(problems);

        void Require(bool holds, string what, string got, string expected, string mend)
        {
            if (!holds)
            {
                problems.Add(new Problem(ProblemCode.InvalidArgument, what, got, expected, mend));
            }
        }
    }

    /// <summary>What is open to others than this machine, and how to close it: a line for each address, none where nothing is.</summary>
    public IEnumerable<string> Warnings(Uri url, Uri? peerUrl)
    {
        string[] ofClients =
        [
            .. url.Scheme == Uri.UriSchemeHttps ? Array.Empty<string>()
                : [Keys is null ? "what is asked and answered can be read on the way (write https, with security.certificate)"
                    : "keys and answers can be read on the way (write https, with security.certificate)"],
            .. Keys is null ? ["whoever reaches it may search and administer (set security.keys)"] : Array.Empty<string>(),
        ];
        string[] ofPeers = peerUrl is null ? [] :
        [
            .. peerUrl.Scheme == Uri.UriSchemeHttps ? Array.Empty<string>() : ["what silos tell each other can be read on the way (write https, with security.certificate)"],
            .. PeerSecret is null && !NeedsPeerCertificate ? ["whoever reaches it may ask and change shards (set security.peer_secret)"] : Array.Empty<string>(),
        ];
        return Line(url, ofClients).Concat(Line(peerUrl, ofPeers));

        static string[] Line(Uri? address, string[] open) => address is null || address.IsLoopback || open.Length == 0 ? []
            : [$"warning: {address.GetLeftPart(UriPartial.Authority)} is open to its network: {string.Join("; ", open)}; see Security in docs/operations.md"];
    }

    /// <summary>Whether what is sent to <paramref name="address"/> is read by nobody else.</summary>
    public static bool IsSecret(Uri address) => address.Scheme == Uri.UriSchemeHttps || address.IsLoopback;
}
