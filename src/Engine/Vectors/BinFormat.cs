using System.Buffers.Binary;

namespace Signpost.Engine.Vectors;

/// <summary>fbin, u8bin, i8bin: uint32 count, uint32 dimension, rows without gaps (big-ann-benchmarks.com).</summary>
internal static class BinFormat
{
    public const int HeaderBytes = 8;

    public static VectorLayout Of(VectorFormat format, long count, int dim) =>
        new(format, format.FixedType(), count, dim, HeaderBytes, PrefixBytes: 0);

    public static VectorLayout Read(FileSource source, VectorFormat format)
    {
        uint count = source.ReadUInt32(0, "a count");
        int dim = VectorLayout.CheckDim(source, 4, source.ReadUInt32(4, "a dimension"));
        return Of(format, count, dim).CheckLength(source);
    }

    public static byte[] Header(uint rows, uint columns)
    {
        byte[] header = new byte[HeaderBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(header, rows);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), columns);
        return header;
    }
}
