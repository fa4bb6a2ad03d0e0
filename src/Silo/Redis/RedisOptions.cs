using System.Globalization;
using Signpost.Client;
using Signpost.Engine.Base;

namespace Signpost.Silo.Redis;

/// <summary>Where Redis is and how to enter. Its text shows no password.</summary>
/// <remarks>
/// Read from the text that StackExchange.Redis made usual: <c>host:6379,password=...,ssl=true</c>. One Redis is named, not several:
/// silos that write to different ones would not be one cluster. A host name may stand for whichever is the primary at the time.
/// </remarks>
public sealed record RedisOptions
{
    private const int DefaultPort = 6379;
    private const int DefaultTimeoutMs = 1500;

    private static readonly string[] WithoutMeaning =
        ["abortconnect", "allowadmin", "connectretry", "connecttimeout", "keepalive", "resolvedns", "responsetimeout", "writebuffer"];

    /// <summary>Name or address.</summary>
    public required string Host { get; init; }

    /// <summary>1 .. 65,535.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>Name of the user; null for the default one.</summary>
    public string? User { get; init; }

    /// <summary>Null where Redis asks for none.</summary>
    public string? Password { get; init; }

    /// <summary>Whether to speak TLS.</summary>
    public bool Tls { get; init; }

    /// <summary>The name that the certificate must have; <see cref="Host"/> unless given.</summary>
    public string? TlsHost { get; init; }

    /// <summary>Number of the database.</summary>
    public int Database { get; init; }

    /// <summary>Name of the connection, for CLIENT LIST.</summary>
    public string ClientName { get; init; } = "signpost";

    /// <summary>After this time every call has ended, well or not; connecting is a part of it.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMilliseconds(DefaultTimeoutMs);

    /// <summary>Whose certificates are trusted; null for those whom the system trusts.</summary>
    internal Trust? Authorities { get; init; }

    /// <summary>Reads <c>host[:port][,key=value]...</c>; the problem quotes no value.</summary>
    public static Outcome<RedisOptions> Parse(string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        if (ParseEndpoint(parts[0]) is not { } options)
        {
            return Bad("its beginning", "no host", "host or host:port, the port from 1 to 65535");
        }

        for (int i = 1; i < parts.Length; i++)
        {
            string part = parts[i];
            int equals = part.IndexOf('=');
            if (part.Length == 0)
            {
                continue;
            }

            if (equals < 0)
            {
                // It may be the rest of a password with a comma: it is not shown.
                return Bad($"part {i + 1}", "no '='", "key=value; one host only; a password cannot contain a comma");
            }

            string key = part[..equals].TrimEnd().ToLowerInvariant();
            if (With(options, key, part[(equals + 1)..].TrimStart()) is not { } next)
            {
                return Bad(
                    $"part {i + 1}", "an unknown key or a value out of range",
                    "user, password, ssl=true|false, sslHost, defaultDatabase=0.., syncTimeout=1..60000 ms, name");
            }

            options = next;
        }

        return options;
    }

    /// <inheritdoc/>
    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    private static RedisOptions? ParseEndpoint(string text)
    {
        int colon = text.LastIndexOf(':');
        bool hasPort = colon >= 0 && text.IndexOf(']') < colon && (text.StartsWith('[') || text.IndexOf(':') == colon);
        string host = (hasPort ? text[..colon] : text).Trim('[', ']');
        int port = DefaultPort;
        bool valid = host.Length > 0 && !host.Contains('=') && (!hasPort || (Whole(text[(colon + 1)..], 1, 65535) is { } given && (port = given) > 0));
        return valid ? new RedisOptions { Host = host, Port = port } : null;
    }

    private static RedisOptions? With(RedisOptions options, string key, string value) => key switch
    {
        "user" => options with { User = value },
        "password" => options with { Password = value },
        "ssl" => bool.TryParse(value, out bool tls) ? options with { Tls = tls } : null,
        "sslhost" => options with { TlsHost = value },
        "defaultdatabase" => Whole(value, 0, int.MaxValue) is { } database ? options with { Database = database } : null,
        "synctimeout" => Whole(value, 1, 60_000) is { } ms ? options with { Timeout = TimeSpan.FromMilliseconds(ms) } : null,
        "name" => value.AsSpan().ContainsAnyExceptInRange('!', '~') ? null : options with { ClientName = value },
        _ => WithoutMeaning.Contains(key) ? options : null,
    };

    private static int? Whole(string text, int min, int max) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= min && value <= max ? value : null;

    private static Problem Bad(string where, string got, string expected) => new(
        ProblemCode.InvalidArgument, $"the text that says where Redis is, {where}", got, expected, "Write for example redis.example:6379,ssl=true.");
}
