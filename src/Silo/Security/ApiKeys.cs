using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Signpost.Engine.Base;

namespace Signpost.Silo.Security;

/// <summary>What the owner of a key may do; each role may also do what those before it may.</summary>
internal enum Role
{
    /// <summary>Search, and look at collections, the cluster and metrics.</summary>
    Read,

    /// <summary>Change data. There is nothing yet that needs it.</summary>
    Write,

    /// <summary>Everything under /v1/admin.</summary>
    Admin,
}

/// <summary>Whose a key is, and what it opens.</summary>
/// <param name="Name">Name of the owner, for people and for counting requests.</param>
/// <param name="Role">What it opens.</param>
internal sealed record KeyOwner(string Name, Role Role);

/// <summary>
/// The keys that open a server, as their SHA-256: the file that lists them lets nobody in. A key is 256 random bits, so its hash cannot be
/// guessed from, and needs no salt and no slow function.
/// </summary>
internal sealed class ApiKeys
{
    /// <summary>What every key begins with, so that one that strays into a log or a repository is recognized.</summary>
    public const string Prefix = "sp_";

    /// <summary>The words of <see cref="Role"/>.</summary>
    public static readonly (string Word, Role Value)[] Roles = [("read", Role.Read), ("write", Role.Write), ("admin", Role.Admin)];

    private const int KeyBytes = 32;

    private readonly (byte[] Hash, KeyOwner Owner)[] _keys;

    private ApiKeys((byte[] Hash, KeyOwner Owner)[] keys) => _keys = keys;

    /// <summary>Reads the file: a line per key, of role, name and SHA-256 in hex; empty lines and those that begin with # say nothing.</summary>
    /// <exception cref="ProblemException">A line is malformed, or there is none. No line is quoted: it may hold a key by mistake.</exception>
    public static ApiKeys Parse(string text)
    {
        var keys = new List<(byte[] Hash, KeyOwner Owner)>();
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            Role? role = Roles.Where(r => r.Word == words[0]).Select(r => (Role?)r.Value).FirstOrDefault();
            byte[]? hash = words.Length == 3 ? HashOf(words[2]) : null;
            if (role is null || hash is null)
            {
                throw Bad($"line {i + 1}", "what is no key's line");
            }

            if (keys.Any(key => key.Owner.Name == words[1]))
            {
                throw Bad($"line {i + 1}", "a name that an earlier line has");
            }

            keys.Add((hash, new KeyOwner(words[1], role.Value)));
        }

        return keys.Count > 0 ? new ApiKeys([.. keys]) : throw Bad("the file", "no key");
    }

    /// <summary>Whose <paramref name="key"/> is; null for nobody's. Takes the same time for every key of a length.</summary>
    public KeyOwner? Find(string key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), hash);
        KeyOwner? found = null;
        foreach ((byte[] known, KeyOwner owner) in _keys)
        {
            if (CryptographicOperations.FixedTimeEquals(known, hash))
            {
                found = owner;
            }
        }

        return found;
    }

    /// <summary>A new key.</summary>
    public static string NewKey() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(KeyBytes));

    /// <summary>The line of the file for <paramref name="key"/>.</summary>
    public static string Line(Role role, string name, string key) =>
        $"{Roles.First(r => r.Value == role).Word} {name} {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))}";

    private static byte[]? HashOf(string hex) =>
        hex.Length == SHA256.HashSizeInBytes * 2 && hex.All(char.IsAsciiHexDigit) ? Convert.FromHexString(hex) : null;

    private static ProblemException Bad(string where, string got) => new(new Problem(
        ProblemCode.InvalidArgument, $"the file of keys, {where}", got, "lines of read | write | admin, a name of its own and a SHA-256 of 64 hex digits",
        "Write the lines that signpost key prints."));
}
