using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Signpost.Engine.Base;

namespace Signpost.Engine.Tests.Base;

public unsafe class Crc32CTests
{
    // "123456789" is the check value of the Rocksoft catalogue; the others are the examples of RFC 3720, appendix B.4.
    [Fact]
    public void Published_examples_have_their_published_checksums()
    {
        Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Compute(Enumerable.Repeat((byte)0xFF, 32).ToArray()));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray()));
        Assert.Equal(0x113FDB5Cu, Crc32C.Compute(Enumerable.Range(0, 32).Select(i => (byte)(31 - i)).ToArray()));
    }

    [Fact]
    public void The_checksum_of_nothing_is_the_seed()
    {
        Assert.Equal(0u, Crc32C.Compute([]));
        Assert.Equal(77u, Crc32C.Compute([], 77));
    }

    [Fact]
    public void It_agrees_with_the_definition_bit_by_bit() =>
        Prop.ForAll<byte[]>(data => Crc32C.Compute(data) == BitByBit(data)).QuickCheckThrowOnFailure();

    [Fact]
    public void Parts_chain_to_the_checksum_of_the_whole() =>
        Prop.ForAll<byte[], byte[]>((a, b) => Crc32C.Compute(b, Crc32C.Compute(a)) == Crc32C.Compute([.. a, .. b])).QuickCheckThrowOnFailure();

    [Fact]
    public void Native_bytes_and_spans_agree()
    {
        byte[] data = Encoding.ASCII.GetBytes("the same bytes through a pointer");
        fixed (byte* at = data)
        {
            Assert.Equal(Crc32C.Compute(data), Crc32C.Compute(at, data.Length));
            Assert.Equal(Crc32C.Compute(data, 5), Crc32C.Compute(at, data.Length, 5));
        }
    }

    private static uint BitByBit(byte[] data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0x82F63B78);
            }
        }

        return ~crc;
    }
}
