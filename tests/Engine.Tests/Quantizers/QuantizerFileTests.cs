using System.Buffers.Binary;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Quantizers;

public class QuantizerFileTests
{
    private const string Path = "some/quantizer";
    private const int HeaderBytes = 56;
    private const int Dim = 5;
    private const int Rotated = 4;

    [Theory]
    [InlineData(Metric.L2, 16, 7, 0)]
    [InlineData(Metric.L2, 256, 4, 3)]
    [InlineData(Metric.InnerProduct, 256, 0, 1)]
    [InlineData(Metric.Cosine, 256, 7, 16)]
    public void What_was_written_is_read(Metric metric, int k, int rotatedDim, int sweeps)
    {
        ProductQuantizer written = ProductQuantizerTests.RandomQuantizer(metric, 7, 3, k, rotatedDim, 1);
        Refinement? refinement = sweeps == 0 ? null : new Refinement(0.3f, sweeps);

        var parsed = (RoutingProductQuantizer)QuantizerFile.Parse(QuantizerFile.Serialize(new RoutingProductQuantizer(written, refinement)), Path);

        Assert.Equal(refinement, parsed.Refinement);
        ProductQuantizer read = parsed.Parameters;
        Assert.Equal(written.RotatedDim, read.RotatedDim);
        Assert.Equal(
            (written.Kind, written.Metric, written.Dim, written.M, written.K, written.Version),
            (read.Kind, read.Metric, read.Dim, read.M, read.K, read.Version));
        Assert.Equal(written.Codewords, read.Codewords);
        Assert.Equal(written.Rotation, read.Rotation);
    }

    [Fact]
    public void The_bytes_are_those_of_the_table()
    {
        byte[] bytes = Sample();

        Assert.Equal("SIGNPQTZ"u8, bytes.AsSpan(0, 8));
        Assert.Equal([2, 0, 3, 0], bytes[8..12]);
        uint[] numbers = [.. Enumerable.Range(3, 5).Select(i => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(i * 4)))];
        Assert.Equal([Dim, 2, 16, 7, Rotated], numbers);
        Assert.Equal(4ul * (Rotated * Dim + 16 * Rotated), BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(32)));
        Assert.Equal((0.5f, 2u), (BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(40)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(44))));
        Assert.Equal(HeaderBytes + 4 * (Rotated * Dim + 16 * Rotated), bytes.Length);
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused_at_its_end()
    {
        byte[] bytes = Sample();

        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(length, Refused(bytes[..length]).Offset);
        }
    }

    [Fact]
    public void A_flipped_bit_anywhere_is_refused()
    {
        byte[] bytes = Sample();

        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(Path, Refused(bytes).Path);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Bytes_after_the_end_are_refused()
    {
        byte[] bytes = Sample();

        Assert.Equal(bytes.Length, Refused([.. bytes, 0]).Offset);
    }

    [Theory]
    [InlineData(8, 1)] // format version
    [InlineData(10, 0)] // kind
    [InlineData(10, 4)]
    [InlineData(11, 3)] // metric
    [InlineData(12, 0)] // dim
    [InlineData(12, -1)]
    [InlineData(16, 0)] // M
    [InlineData(16, Rotated + 1)]
    [InlineData(20, 17)] // K
    [InlineData(28, Dim + 1)] // rotated dim
    [InlineData(40, -1)] // isotropy: a NaN
    [InlineData(44, 0)] // sweeps
    [InlineData(44, 17)]
    [InlineData(32, 4)] // payload bytes
    [InlineData(32, -1)]
    public void An_impossible_field_under_a_right_checksum_is_refused_at_its_offset(int offset, int value)
    {
        byte[] bytes = Sample();
        if (offset < 12)
        {
            bytes[offset] = (byte)value;
        }
        else
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(offset), value);
        }

        Assert.Equal(offset, Refused(Sealed(bytes)).Offset);
    }

    [Fact]
    public void Absurd_sizes_are_refused_before_memory_is_taken()
    {
        byte[] bytes = Sample();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), 65_536);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(28), 65_536);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(32), 4L * (65_536L * 65_536 + 16 * 65_536));
        Sealed(bytes);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(bytes.Length, Refused(bytes).Offset);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_number_that_is_not_finite_is_refused_at_its_offset(float value)
    {
        foreach (int offset in new[] { HeaderBytes + 4, HeaderBytes + 4 * Rotated * Dim + 12 }) // rotation, codebook
        {
            byte[] bytes = Sample();
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(offset), value);

            Assert.Equal(offset, Refused(Sealed(bytes)).Offset);
        }
    }

    [Fact]
    public void A_rotation_that_is_not_orthonormal_is_refused()
    {
        byte[] bytes = Sample();
        BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(HeaderBytes), 2f);

        BadFileException refused = Refused(Sealed(bytes));

        Assert.Equal(HeaderBytes, refused.Offset);
        Assert.Contains("orthonormal", refused.Message);
    }

    [Fact]
    public void Only_an_rpq_refines_its_codes()
    {
        byte[] bytes = Sample();
        bytes[10] = (byte)QuantizerKind.Opq;

        Assert.Equal(44, Refused(Sealed(bytes)).Offset);
    }

    private static byte[] Sample() => QuantizerFile.Serialize(
        new RoutingProductQuantizer(ProductQuantizerTests.RandomQuantizer(Metric.L2, Dim, 2, 16, Rotated, 3), new Refinement(0.5f, 2)));

    private static BadFileException Refused(byte[] bytes) => Assert.Throws<BadFileException>(() => QuantizerFile.Parse(bytes, Path));

    // Both checksums made right again, so that only the check of the field itself can refuse.
    private static byte[] Sealed(byte[] bytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(48), Crc32C.Compute(bytes.AsSpan(HeaderBytes)));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(52), Crc32C.Compute(bytes.AsSpan(0, 52)));
        return bytes;
    }
}
