using Signpost.Engine.Base;

namespace Signpost.Engine.Storage;

/// <summary>What every binary file's header must keep; the rest follows from what the file says it is.</summary>
internal static class HeaderRules
{
    private const int CrcOffset = 20; // of FileHeader.HeaderCrc

    /// <summary>That it is a file of Signpost, of this kind and format version.</summary>
    public static void CheckIdentity(in FileHeader head, FileKind kind, uint version, string path)
    {
        if (head.Magic != FileHeader.SignpostMagic)
        {
            throw new BadFileException(path, 0, $"0x{head.Magic:X16}", $"0x{FileHeader.SignpostMagic:X16}, a file of Signpost");
        }

        if (head.Kind != kind)
        {
            throw new BadFileException(path, 12, $"file kind {(uint)head.Kind}", $"{(uint)kind}, {kind.ToString().ToLowerInvariant()}");
        }

        if (head.FormatVersion != version)
        {
            string older = head.FormatVersion < version ? "; an older version wrote it: build the collection again" : "";
            throw new BadFileException(path, 8, $"format version {head.FormatVersion}", $"{version}{older}");
        }
    }

    /// <summary>That <paramref name="header"/>, with the checksum's own field zero, has the checksum <paramref name="expected"/>.</summary>
    public static void CheckCrc(byte[] header, uint expected, string path)
    {
        byte[] unsealed = [.. header];
        unsealed.AsSpan(CrcOffset, sizeof(uint)).Clear();
        uint crc = Crc32C.Compute(unsealed);
        if (crc != expected)
        {
            throw new BadFileException(path, CrcOffset, $"header checksum {expected:x8}", $"{crc:x8}, the checksum of the header as it is");
        }
    }

    /// <summary>That the header is the one that what it says implies.</summary>
    public static void CheckSame(byte[] got, byte[] implied, string path)
    {
        int same = got.AsSpan().CommonPrefixLength(implied);
        if (same < implied.Length || same < got.Length)
        {
            // The checksum comes before the table and differs whenever anything does: name what differs behind it where there is such.
            const int Behind = CrcOffset + sizeof(uint);
            int later = Behind + got.AsSpan(Behind).CommonPrefixLength(implied.AsSpan(Behind));
            int at = later < Math.Min(got.Length, implied.Length) ? later : same;
            throw new BadFileException(path, at, $"0x{ByteAt(got, at)}", $"0x{ByteAt(implied, at)}, as the count and shapes imply");
        }
    }

    private static string ByteAt(byte[] bytes, int at) => at < bytes.Length ? $"{bytes[at]:X2}" : "(end)";
}
