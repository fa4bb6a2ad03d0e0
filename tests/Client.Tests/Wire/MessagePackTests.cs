using System.Buffers;
using System.Text;
using Signpost.Client.Wire;

namespace Signpost.Client.Tests.Wire;

public class MessagePackTests
{
    private delegate T Reading<T>(ref MessagePackReader reader);

    public static TheoryData<long, int> Integers { get; } = new()
    {
        { 0, 1 }, { 127, 1 }, { 128, 2 }, { 255, 2 }, { 256, 3 }, { 65_535, 3 }, { 65_536, 5 }, { uint.MaxValue, 5 }, { uint.MaxValue + 1L, 9 },
        { long.MaxValue, 9 }, { -1, 1 }, { -32, 1 }, { -33, 2 }, { -128, 2 }, { -129, 3 }, { -32_768, 3 }, { -32_769, 5 }, { int.MinValue, 5 },
        { int.MinValue - 1L, 9 }, { long.MinValue, 9 },
    };

    [Theory]
    [MemberData(nameof(Integers))]
    public void An_integer_takes_the_fewest_bytes_and_comes_back(long value, int bytes)
    {
        byte[] written = Written(writer => writer.Write(value));
        Assert.Equal(bytes, written.Length);
        Assert.Equal(value, Read(written, (ref reader) => reader.ReadInt64()));
        if (value >= 0)
        {
            Assert.Equal(written, Written(writer => writer.Write((ulong)value)));
            Assert.Equal((ulong)value, Read(written, (ref reader) => reader.ReadUInt64()));
        }
    }

    [Theory]
    [InlineData("05", 5)]
    [InlineData("CC05", 5)]
    [InlineData("CD0005", 5)]
    [InlineData("CE00000005", 5)]
    [InlineData("CF0000000000000005", 5)]
    [InlineData("D005", 5)]
    [InlineData("D10005", 5)]
    [InlineData("D200000005", 5)]
    [InlineData("D30000000000000005", 5)]
    [InlineData("FB", -5)]
    [InlineData("D0FB", -5)]
    [InlineData("D1FFFB", -5)]
    [InlineData("D2FFFFFFFB", -5)]
    [InlineData("D3FFFFFFFFFFFFFFFB", -5)]
    public void An_integer_is_read_from_every_width(string hex, int value) =>
        Assert.Equal(value, Read(Convert.FromHexString(hex), (ref reader) => reader.ReadInt32()));

    [Fact]
    public void An_integer_that_does_not_fit_is_refused_with_its_value()
    {
        byte[] most = Written(writer => writer.Write(ulong.MaxValue));
        Assert.Equal(ulong.MaxValue, Read(most, (ref reader) => reader.ReadUInt64()));
        Assert.Equal("18446744073709551615", Refused(most, (ref reader) => reader.ReadInt64()).Got);
        Assert.Equal("-1", Refused([0xFF], (ref reader) => reader.ReadUInt64()).Got);
        Assert.Equal("an integer in [1, 9]", Refused([10], (ref reader) => reader.ReadInt32(1, 9)).Expected);
        Assert.Equal("2147483648", Refused(Written(writer => writer.Write(1L << 31)), (ref reader) => reader.ReadInt32()).Got);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(-1.5f)]
    [InlineData(float.Epsilon)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Floats_come_back_bit_by_bit(float value)
    {
        byte[] single = Written(writer => writer.Write(value));
        Assert.Equal(BitConverter.SingleToInt32Bits(value), BitConverter.SingleToInt32Bits(Read(single, (ref reader) => reader.ReadSingle())));
        Assert.Equal(value, Read(single, (ref reader) => reader.ReadDouble()));
        byte[] wide = Written(writer => writer.Write(value + 1e-9));
        Assert.Equal(value + 1e-9, Read(wide, (ref reader) => reader.ReadDouble()));
        Assert.Equal("a float of 32 bits", Refused(wide, (ref reader) => reader.ReadSingle()).Expected);
    }

    [Fact]
    public void Nil_and_booleans_come_back()
    {
        var reader = new MessagePackReader(Written(writer =>
        {
            writer.WriteNil();
            writer.Write(true);
            writer.Write(false);
        }));
        Assert.True(reader.TryReadNil());
        Assert.False(reader.TryReadNil());
        Assert.True(reader.ReadBoolean());
        Assert.False(reader.ReadBoolean());
        Assert.True(reader.IsAtEnd);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(31, 1)]
    [InlineData(32, 2)]
    [InlineData(255, 2)]
    [InlineData(256, 3)]
    [InlineData(65_535, 3)]
    [InlineData(65_536, 5)]
    public void Text_of_every_length_comes_back(int length, int head)
    {
        string text = new('x', length);
        byte[] written = Written(writer => writer.Write(text));
        Assert.Equal(head + length, written.Length);
        Assert.Equal(text, Read(written, (ref reader) => reader.ReadString()));
    }

    [Fact]
    public void Text_is_utf8_and_nothing_else()
    {
        Assert.Equal("ä\0𝄞", Read(Written(writer => writer.Write("ä\0𝄞")), (ref reader) => reader.ReadString()));
        Assert.Equal(1, Refused([0xA2, 0xC3, 0x28], (ref reader) => reader.ReadString()).Offset);
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(255, 2)]
    [InlineData(256, 3)]
    [InlineData(65_535, 3)]
    [InlineData(65_536, 5)]
    public void A_byte_block_of_every_length_comes_back(int length, int head)
    {
        byte[] block = new byte[length];
        new Random(length).NextBytes(block);
        byte[] written = Written(writer => writer.Write(block));
        Assert.Equal(head + length, written.Length);
        Assert.Equal(block, Read(written, (ref reader) => reader.ReadBinary().ToArray()));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(15, 1)]
    [InlineData(16, 3)]
    [InlineData(65_535, 3)]
    [InlineData(65_536, 5)]
    public void The_counts_of_arrays_and_maps_come_back(int count, int head)
    {
        byte[] array = Written(writer =>
        {
            writer.WriteArrayHeader(count);
            Repeat(count, writer.WriteNil);
        });
        byte[] map = Written(writer =>
        {
            writer.WriteMapHeader(count);
            Repeat(2 * count, writer.WriteNil);
        });
        Assert.Equal(head + count, array.Length);
        Assert.Equal(head + (2 * count), map.Length);
        Assert.Equal(count, ReadSome(array, (ref reader) => reader.ReadArrayHeader()));
        Assert.Equal(count, ReadSome(map, (ref reader) => reader.ReadMapHeader()));
    }

    [Theory]
    [InlineData("DDFFFFFFFF00")] // an array of 2^32 - 1 values
    [InlineData("DFFFFFFFFF0000")] // a map as large
    [InlineData("DC000200")] // two values, one there
    [InlineData("820000")] // two pairs, one there
    [InlineData("C6FFFFFFFF00")] // a byte block
    [InlineData("DB7FFFFFFF00")] // text
    [InlineData("A261")]
    [InlineData("C9FFFFFFFF0100")] // an extension
    public void A_length_beyond_the_end_is_refused_before_anything_is_made_for_it(string hex) =>
        Refused(Convert.FromHexString(hex), (ref reader) =>
        {
            reader.Skip();
            return 0;
        });

    [Fact]
    public void A_value_of_another_kind_is_refused_with_what_it_is()
    {
        Assert.Equal("0xC0 (Nil)", Refused([0xC0], (ref reader) => reader.ReadString()).Got);
        Assert.Equal("Boolean", Refused([0x01], (ref reader) => reader.ReadBoolean()).Expected);
        Assert.Equal("0xC1 (no value begins so)", Refused([0xC1], (ref reader) => reader.Next).Got);
        Assert.Equal("the end", Refused([], (ref reader) => reader.ReadBinary().Length).Got);
        Assert.Equal("2 bytes to the end", Refused([0xCE, 0x00], (ref reader) => reader.ReadInt64()).Got);
    }

    [Fact]
    public void Skip_passes_over_every_kind_of_value()
    {
        byte[][] values =
        [
            [0xC0], [0xC2], [0x7F], [0xE0], [0xCC, 1], [0xD3, .. new byte[8]], [0xCA, .. new byte[4]], [0xCB, .. new byte[8]], [0xA1, 0x61],
            [0xC4, 2, 1, 2], [0x92, 1, 0xA1, 0x61], [0x81, 1, 0x91, 0xC0], [0xD4, 5, 1], [0xD8, 5, .. new byte[16]], [0xC7, 3, 5, 1, 2, 3],
            [0xC8, 0, 1, 5, 1], [0xC9, 0, 0, 0, 0, 5],
        ];
        foreach (byte[] value in values)
        {
            var reader = new MessagePackReader([.. value, 0x2A]);
            reader.Skip();
            Assert.Equal(value.Length, reader.Offset);
            Assert.Equal(42, reader.ReadInt32());
        }
    }

    [Fact]
    public void Skip_follows_32_levels_and_refuses_the_next()
    {
        byte[] levels = [.. Enumerable.Repeat((byte)0x91, MessagePackReader.MostDepth), 0xC0];
        Assert.Equal(levels.Length, Read(levels, SkipAll));
        Assert.Contains("at most 32", Refused([0x91, .. levels], SkipAll).Expected);
    }

    [Fact]
    public void Any_bytes_are_read_or_refused_and_every_cut_is_refused()
    {
        var random = new Random(7);
        int read = 0;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = new byte[random.Next(1, 40)];
            random.NextBytes(bytes);
            try
            {
                int length = ReadSome(bytes, SkipAll);
                read++;
                for (int cut = 0; cut < length; cut++)
                {
                    Refused(bytes[..cut], SkipAll);
                }
            }
            catch (MessagePackException e)
            {
                Assert.InRange(e.Offset, 0, bytes.Length);
            }
        }

        Assert.InRange(read, 1000, 19_999); // both happened
    }

    [Fact]
    public void What_is_written_in_parts_is_read_in_its_order()
    {
        byte[] written = Written(writer =>
        {
            writer.WriteMapHeader(2);
            writer.Write("hits");
            Encoding.ASCII.GetBytes("abc", writer.WriteBinary(3));
            writer.Write("k");
            writer.Write(10L);
        });
        Assert.Equal("82A468697473C403616263A16B0A", Convert.ToHexString(written));
    }

    private static int SkipAll(ref MessagePackReader reader)
    {
        reader.Skip();
        return reader.Offset;
    }

    private static byte[] Written(Action<MessagePackWriter> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(new MessagePackWriter(output));
        return output.WrittenSpan.ToArray();
    }

    private static T Read<T>(byte[] bytes, Reading<T> read)
    {
        var reader = new MessagePackReader(bytes);
        T value = read(ref reader);
        Assert.True(reader.IsAtEnd);
        return value;
    }

    private static T ReadSome<T>(byte[] bytes, Reading<T> read)
    {
        var reader = new MessagePackReader(bytes);
        return read(ref reader);
    }

    private static MessagePackException Refused<T>(byte[] bytes, Reading<T> read) => Assert.Throws<MessagePackException>(() => ReadSome(bytes, read));

    private static void Repeat(int count, Action action)
    {
        for (int i = 0; i < count; i++)
        {
            action();
        }
    }
}
