using System.Security.Cryptography;
using System.Text;
using Signpost.Engine.Base;

namespace Signpost.Silo.Security;

/// <summary>
/// The text by which silos of a cluster know each other. Its file may have several lines: the first one is sent and all are taken, so that
/// a new one can be brought in without a silo being shut out: added below in all silos, then put first, then the old one removed.
/// </summary>
internal sealed class PeerSecret
{
    /// <summary>Header of a request to another silo.</summary>
    public const string Header = "Signpost-Peer-Secret";

    private const int LeastLength = 32;

    private readonly byte[][] _hashes;

    private PeerSecret(string[] lines)
    {
        Sent = lines[0];
        _hashes = [.. lines.Select(HashOf)];
    }

    /// <summary>The one that this silo shows others.</summary>
    public string Sent { get; }

    /// <summary>Reads the file.</summary>
    /// <exception cref="ProblemException">There is none in it, or one that is too short or cannot be sent; it is not quoted.</exception>
    public static PeerSecret Parse(string text)
    {
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Length > 0 && lines.All(line => line.Length >= LeastLength && line.All(c => c is > ' ' and <= '~'))
            ? new PeerSecret(lines)
            : throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "the file of the peer secret", lines.Length == 0 ? "nothing" : "a line that is no secret",
                $"lines of at least {LeastLength} printable characters without spaces", "Write for example what openssl rand -hex 32 prints."));
    }

    /// <summary>Whether a text with the hash <paramref name="hash"/> is one that is taken, in the same time for every text.</summary>
    public bool IsKnown(ReadOnlySpan<byte> hash)
    {
        bool known = false;
        foreach (byte[] one in _hashes)
        {
            known |= CryptographicOperations.FixedTimeEquals(one, hash);
        }

        return known;
    }

    /// <summary>SHA-256 of <paramref name="text"/>.</summary>
    public static byte[] HashOf(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
