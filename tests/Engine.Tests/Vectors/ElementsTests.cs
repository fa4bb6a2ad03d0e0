using System.Runtime.InteropServices;
using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Vectors;

public class ElementsTests
{
    [Fact]
    public void Every_half_widens_to_the_float_of_the_same_value()
    {
        ushort[] bits = [.. Enumerable.Range(0, 1 << 16).Select(i => (ushort)i)];
        float[] wide = new float[bits.Length];
        Elements.ToFloat(MemoryMarshal.AsBytes(bits.AsSpan()), ElementType.Float16, wide);
        for (int i = 0; i < bits.Length; i++)
        {
            float expected = (float)BitConverter.UInt16BitsToHalf(bits[i]);
            bool same = float.IsNaN(expected)
                ? float.IsNaN(wide[i])
                : BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(wide[i]);
            Assert.True(same, $"half 0x{bits[i]:X4}: {wide[i]}");
        }
    }

    [Fact]
    public void Bytes_widen_to_their_values_at_every_length()
    {
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(i => (byte)((i * 77) + 128))];
        for (int length = 0; length <= bytes.Length; length++)
        {
            float[] wide = new float[length + 1];
            wide[length] = -1000; // must stay
            Elements.ToFloat(bytes.AsSpan(0, length), ElementType.UInt8, wide);
            Assert.Equal([.. bytes.Take(length).Select(b => (float)b), -1000], wide);
            Elements.ToFloat(bytes.AsSpan(0, length), ElementType.Int8, wide);
            Assert.Equal([.. bytes.Take(length).Select(b => (float)(sbyte)b), -1000], wide);
        }
    }

    [Theory]
    [InlineData(ElementType.Float32)]
    [InlineData(ElementType.Float16)]
    [InlineData(ElementType.UInt8)]
    [InlineData(ElementType.Int8)]
    public void A_target_that_is_too_short_is_refused(ElementType type) =>
        Assert.ThrowsAny<ArgumentException>(() => Elements.ToFloat(new byte[24 * type.Bytes()], type, new float[23]));

    [Theory]
    [InlineData(ElementType.Float32)]
    [InlineData(ElementType.Float16)]
    [InlineData(ElementType.UInt8)]
    [InlineData(ElementType.Int8)]
    public void Widened_components_narrow_to_the_same_bytes(ElementType type)
    {
        using VectorBlock block = Samples.Block(50, 33, type, seed: 9);
        float[] wide = new float[block.Dim];
        byte[] narrow = new byte[block.RowBytes];
        for (int row = 0; row < block.Count; row++)
        {
            block.CopyRow(row, wide);
            Assert.Null(Elements.FromFloat(wide, type, narrow));
            Assert.Equal(block.RowSpan(row).ToArray(), narrow);
        }
    }

    [Theory]
    [InlineData(ElementType.Float32, float.NaN)]
    [InlineData(ElementType.Float32, float.PositiveInfinity)]
    [InlineData(ElementType.Float16, 65520f)]
    [InlineData(ElementType.UInt8, -1f)]
    [InlineData(ElementType.UInt8, 256f)]
    [InlineData(ElementType.Int8, 128f)]
    [InlineData(ElementType.Int8, float.NaN)]
    public void A_component_that_does_not_fit_its_type_is_refused_by_its_index(ElementType type, float value)
    {
        Problem? problem = Elements.FromFloat([0, 1, value, 2], type, new byte[16]);
        Assert.Equal((ProblemCode.InvalidComponent, "component 2"), (problem?.Code, problem?.What));
    }

    [Theory]
    [InlineData(ElementType.Float32)]
    [InlineData(ElementType.Float16)]
    public void The_first_component_that_is_not_finite_is_found_at_every_place(ElementType type)
    {
        for (int dim = 1; dim <= 70; dim++)
        {
            using VectorBlock block = Samples.Block(1, dim, type, seed: (ulong)dim);
            Assert.Equal(-1, Elements.IndexOfNonFinite(block.RowSpan(0), type));
            Span<byte> row = Samples.Writable(block, 0);
            for (int place = dim - 1; place >= 0; place--)
            {
                byte[] bad = type == ElementType.Float32
                    ? BitConverter.GetBytes(place % 2 == 0 ? float.NaN : float.NegativeInfinity)
                    : BitConverter.GetBytes(place % 2 == 0 ? Half.NaN : Half.PositiveInfinity);
                bad.CopyTo(row[(place * bad.Length)..]);
                Assert.Equal(place, Elements.IndexOfNonFinite(row, type));
            }
        }
    }
}
