using static Signpost.Silo.SettingKinds;

namespace Signpost.Silo.Security;

/// <summary>The settings of who may reach a server, and how much of it they may take.</summary>
internal static class SecuritySettings
{
    /// <summary>Where a program that asks finds its API key, unless a file is named: never on the command line, which all users see.</summary>
    public const string KeyVariable = "SIGNPOST_KEY";

    public static readonly Setting<string?> Certificate = Text(
        "certificate", "PEM of this server's certificate and of those above it; read again when it changes.", "a file", null,
        "Where url or peer-url is https.", "security.certificate");

    public static readonly Setting<string?> CertificateKey = Text(
        "certificate-key", "PEM of the key of the certificate, without a password.", "a file", null, "Without it, it is in the same file.",
        "security.certificate_key");

    public static readonly Setting<string?> Authorities = Text(
        "ca", "PEM of the authorities that sign the certificates of silos and of Redis.", "a file", null, "Without it those that the system trusts.",
        "security.ca");

    public static readonly Setting<string?> Keys = Text(
        "keys", "List of the API keys, as signpost key makes its lines; read again when it changes.", "a file", null, "Without it everybody may do all.",
        "security.keys");

    public static readonly Setting<string?> PeerSecret = Text(
        "peer-secret", "The secret by which silos know each other, the same in all; read again when it changes.", "a file", null,
        "Without it whoever reaches peer-url is taken for a silo.", "security.peer_secret");

    public static readonly Setting<PeerCertificate> PeerCertificateOf = Choice(
        "peer-client-certificate", "Whether silos must show a certificate when they ask this one.",
        [("none", PeerCertificate.None), ("required", PeerCertificate.Required)], PeerCertificate.None, "The secret is enough.",
        "security.peer_client_certificate");

    public static readonly Setting<int> RateMax = Whole(
        "rate-max", "Requests a second of one API key, or of one address where there are no keys.", "requests", 1, 1_000_000, 0,
        "Too much is for you to say.", "security.rate_max", "off");

    public static readonly Setting<int> ConnectionsMax = Whole(
        "connections-max", "Connections of clients at a time; more are closed at once.", "connections", 1, 1_000_000, 10_000,
        "Each takes some 30 KB.", "security.connections_max");

    public static readonly Setting<int> HeaderKiBMax = Whole(
        "header-kib-max", "All headers of a request together.", "KiB", 1, 1024, 32, "Far more than any client sends.", "security.header_kib_max");

    public static readonly Setting<int> BodyRateMin = Whole(
        "body-rate-min", "Bytes a second at which bodies must come and answers must go, after 5 s.", "bytes", 1, 1 << 30, 240,
        "Slower than any modem.", "security.body_rate_min");

    /// <summary>For programs that ask.</summary>
    public static readonly Setting<string?> KeyFile = Text(
        "key-file", "File with the API key.", "a file", null, $"Without it what {KeyVariable} in the environment holds.");

    public static readonly Setting<Role> RoleOf = Choice(
        "role", "What the key opens: read searches and looks, write changes data too (nothing yet), admin administers too.", ApiKeys.Roles, Role.Read,
        "The least.");

    /// <summary>Those that <c>cluster.yaml</c> may give; each is an option of serve too.</summary>
    public static readonly Setting[] InFile =
        [Certificate, CertificateKey, Authorities, Keys, PeerSecret, PeerCertificateOf, RateMax, ConnectionsMax, HeaderKiBMax, BodyRateMin];
}

/// <summary>Whether a silo that asks another one must show a certificate.</summary>
internal enum PeerCertificate
{
    /// <summary>None is asked for.</summary>
    None,

    /// <summary>One that is signed by an authority of security.ca.</summary>
    Required,
}
