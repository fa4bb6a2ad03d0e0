using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Signpost.Engine.Vectors;

/// <summary>
/// npy versions 1.0, 2.0 and 3.0 (NumPy Enhancement Proposal 1): magic, version, header length, a header in the syntax of a Python
/// dictionary, then the array. Taken: two-dimensional, C order, '&lt;f4', '&lt;f2', '|u1', '|i1'. Refused: everything else, one-dimensional
/// arrays too, because whether one is a vector or a column is a guess. Written: version 1.0.
/// </summary>
internal static class NpyFormat
{
    /// <summary>A longer header is taken for a damaged file; those of vectors have some 70 bytes.</summary>
    private const int MaxHeaderBytes = 1 << 16;

    private const int Alignment = 64;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    public static VectorLayout Of(ElementType type, long count, int dim) =>
        new(VectorFormat.Npy, type, count, dim, Header(type, count, dim).Length, PrefixBytes: 0);

    public static VectorLayout Read(FileSource source)
    {
        Span<byte> start = stackalloc byte[8];
        source.Read(0, start, "magic and version");
        if (!start[..6].SequenceEqual(Magic))
        {
            throw source.Bad(0, Convert.ToHexString(start[..6]), $"{Convert.ToHexString(Magic)}, the magic of npy");
        }

        if (start[6] is not (1 or 2 or 3) || start[7] != 0)
        {
            throw source.Bad(6, $"version {start[6]}.{start[7]}", "version 1.0, 2.0 or 3.0");
        }

        int lengthBytes = start[6] == 1 ? 2 : 4;
        Span<byte> length = stackalloc byte[4];
        length.Clear();
        source.Read(8, length[..lengthBytes], "a header length");
        uint headerBytes = BinaryPrimitives.ReadUInt32LittleEndian(length);
        int headerStart = 8 + lengthBytes;
        long most = Math.Min(MaxHeaderBytes, source.Length - headerStart);
        if (headerBytes > most)
        {
            throw source.Bad(8, $"a header of {headerBytes} bytes", $"at most {most} bytes");
        }

        byte[] header = new byte[headerBytes];
        source.Read(headerStart, header, "a header");
        NpyHeader parsed = new NpyHeaderParser(source, headerStart, header).Parse();
        return new VectorLayout(VectorFormat.Npy, parsed.Type, parsed.Count, parsed.Dim, headerStart + headerBytes, PrefixBytes: 0)
            .CheckLength(source);
    }

    /// <summary>Everything before the first row, padded so that the rows are aligned to 64 bytes.</summary>
    public static byte[] Header(ElementType type, long count, int dim)
    {
        string dictionary = string.Create(
            CultureInfo.InvariantCulture, $"{{'descr': '{Name(type)}', 'fortran_order': False, 'shape': ({count}, {dim}), }}");
        const int prefix = 10;
        int total = (prefix + dictionary.Length + 1 + Alignment - 1) / Alignment * Alignment;
        byte[] header = new byte[total];
        Magic.CopyTo(header);
        header[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), (ushort)(total - prefix));
        header.AsSpan(prefix).Fill((byte)' ');
        Encoding.ASCII.GetBytes(dictionary, header.AsSpan(prefix));
        header[^1] = (byte)'\n';
        return header;
    }

    /// <summary>The component type that NumPy calls <paramref name="name"/>, or null.</summary>
    public static ElementType? TypeOf(string name)
    {
        foreach (ElementType type in Enum.GetValues<ElementType>())
        {
            if (Name(type) == name)
            {
                return type;
            }
        }

        return null;
    }

    private static string Name(ElementType type) => type switch
    {
        ElementType.Float32 => "<f4",
        ElementType.Float16 => "<f2",
        ElementType.UInt8 => "|u1",
        ElementType.Int8 => "|i1",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "unknown element type"),
    };
}
