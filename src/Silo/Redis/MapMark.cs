using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Signpost.Silo.Redis;

/// <summary>Which map of a collection it is.</summary>
/// <param name="Version">Of the map; it rises, also where Redis forgets.</param>
/// <param name="Content">
/// The version under which its content was first written: the same as <paramref name="Version"/>, or lower in a map that was restored. Of two
/// contents the one with the higher number is the later decision.
/// </param>
/// <param name="Digest">
/// First 8 bytes of the SHA-256 of its bytes: where Redis has forgotten, a version may be written again with another content. (The bytes end
/// with their CRC, so the CRC of all of them is the same for every map.)
/// </param>
internal readonly record struct MapMark(long Version, long Content, ulong Digest)
{
    /// <summary>Added when a map is restored: more than the changes that anybody can have missed.</summary>
    public const long Jump = 1 << 20;

    /// <summary>
    /// Version and content that must be written so that neither <paramref name="present"/>, in Redis, nor <paramref name="remembered"/> is
    /// lost: the later content under a version above both. Null where the present map may simply be taken: it is the remembered one, or
    /// follows it.
    /// </summary>
    /// <remarks>
    /// Silos that remember different maps do not fight: what is written never has an earlier content than what was there, and of two silos
    /// the one that remembers less gives in. Where both contents were decided under the same number, that in Redis stays.
    /// </remarks>
    public static (long Version, long Content)? Mend(MapMark? present, MapMark? remembered)
    {
        if (remembered is not { } mine || present == remembered)
        {
            return null;
        }

        MapMark theirs = present ?? default;
        return theirs.Content >= mine.Content && theirs.Version > mine.Version
            ? null
            : (Math.Max(theirs.Version, mine.Version) + Jump, Math.Max(theirs.Content, mine.Content));
    }

    /// <summary>The mark of a map with these bytes.</summary>
    public static MapMark Of(long version, long content, byte[] bytes) => new(version, content, BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(bytes)));

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static MapMark Parse(string text)
    {
        string[] parts = text.Split(' ');
        return parts.Length == 3
            ? new MapMark(Whole(parts[0]), Whole(parts[1]), ulong.Parse(parts[2], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture))
            : throw new FormatException($"got '{text}', expected two numbers and a digest");
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Version} {Content} {Digest:x16}");

    private static long Whole(string text) => long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
