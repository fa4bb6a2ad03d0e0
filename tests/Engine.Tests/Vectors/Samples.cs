using System.Text;
using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Vectors;

/// <summary>Blocks and files that several tests of this folder start from.</summary>
internal static class Samples
{
    /// <summary>Every pair of a vector format and a type that it holds.</summary>
    public static IEnumerable<(VectorFormat Format, ElementType Type)> Pairs =>
        from format in Enum.GetValues<VectorFormat>()
        from type in Enum.GetValues<ElementType>()
        where format.Holds(type)
        select (format, type);

    /// <summary>Finite components over the whole range of the type, subnormal numbers included.</summary>
    public static VectorBlock Block(long count, int dim, ElementType type, ulong seed)
    {
        VectorBlock block = VectorBlock.Allocate(count, dim, type);
        var random = new Seeded(seed, (ulong)type);
        for (long row = 0; row < count; row++)
        {
            Span<byte> bytes = Writable(block, row);
            for (int i = 0; i < bytes.Length; i++)
            {
                bytes[i] = (byte)random.NextUInt64();
            }

            for (int bad = Elements.IndexOfNonFinite(bytes, type); bad >= 0; bad = Elements.IndexOfNonFinite(bytes, type))
            {
                bytes[((bad + 1) * type.Bytes()) - 1] = 0x11; // the highest byte: another exponent
            }
        }

        return block;
    }

    public static unsafe Span<byte> Writable(VectorBlock block, long row) => new(block.Row(row), block.RowBytes);

    public static void AssertSame(VectorBlock expected, VectorBlock actual)
    {
        Assert.Equal((expected.Count, expected.Dim, expected.Type), (actual.Count, actual.Dim, actual.Type));
        for (long row = 0; row < expected.Count; row++)
        {
            Assert.True(expected.RowSpan(row).SequenceEqual(actual.RowSpan(row)), $"row {row} differs");
        }
    }

    /// <summary>An npy file with any header.</summary>
    public static byte[] Npy(string header, int dataBytes, byte major = 1, byte minor = 0)
    {
        byte[] length = major == 1 ? BitConverter.GetBytes((ushort)header.Length) : BitConverter.GetBytes(header.Length);
        return [0x93, .. "NUMPY"u8, major, minor, .. length, .. Encoding.Latin1.GetBytes(header), .. new byte[dataBytes]];
    }

    public static byte[] Ints(params int[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    public static byte[] Floats(params float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];
}
