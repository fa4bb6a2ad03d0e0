using System.Buffers.Binary;
using Signpost.Engine.Base;
using Signpost.Engine.Training;

namespace Signpost.Engine.Tests.Training;

public sealed class RoutingSampleFileTests
{
    private const string Name = "shard-3";
    private static readonly byte[] Sample = Make();

    [Fact]
    public void A_sample_is_read_as_it_was_written()
    {
        RoutingSample read = RoutingSampleFile.Read(new MemoryStream(Sample), Name);

        Assert.Equal(Sample, read.Bytes());
        Assert.Equal(3u, read.QuantizerVersion);
        Assert.Equal((3, 24), (read.QueryCount, read.Dim));
        Assert.NotEqual(0, read.RecordCount);
    }

    [Fact]
    public void A_cut_sample_is_refused_wherever_it_is_cut()
    {
        for (int length = 0; length < Sample.Length; length++)
        {
            Assert.Equal(length, Refused(Sample[..length]).Offset);
        }
    }

    [Fact]
    public void A_flipped_bit_is_refused_wherever_it_is()
    {
        byte[] bytes = [.. Sample];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= (byte)(1 << (i % 8));
            Assert.Equal(Name, Refused(bytes).Path);
            bytes[i] ^= (byte)(1 << (i % 8));
        }
    }

    [Fact]
    public void Bytes_after_the_end_are_refused() => Assert.Equal(Sample.Length, Refused([.. Sample, 0]).Offset);

    [Theory]
    [InlineData(8, 2)] // format version
    [InlineData(10, 3)] // metric
    [InlineData(12, 0)] // dim
    [InlineData(12, 65_537)]
    [InlineData(20, -1)] // queries
    [InlineData(24, int.MaxValue)] // vertices
    [InlineData(32, -1)] // candidates
    public void An_impossible_field_under_a_right_checksum_is_refused_at_its_offset(int offset, int value)
    {
        byte[] bytes = [.. Sample];
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(offset), offset == 8 ? value | bytes[10] << 16 : value);

        Assert.Equal(offset, Refused(Sealed(bytes)).Offset);
    }

    [Fact]
    public void Absurd_sizes_are_refused_before_memory_is_taken()
    {
        byte[] bytes = [.. Sample];
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(20), 80_000_000); // queries
        Sealed(bytes);
        Refused(bytes);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(bytes.Length, Refused(bytes).Offset);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32 << 20);
    }

    [Theory]
    [InlineData("vertex")]
    [InlineData("right choice")]
    [InlineData("rows")]
    [InlineData("finite")]
    public void An_impossible_sample_under_right_checksums_is_refused(string what)
    {
        RoutingSample sample = RoutingSampleFile.Read(new MemoryStream(Sample), Name);
        switch (what)
        {
            case "vertex":
                sample.Negatives[0] = sample.VertexCount;
                break;
            case "right choice":
                Array.Clear(sample.IsRight);
                break;
            case "rows":
                sample.CandidateStarts[1] = sample.CandidateStarts[2] + 1;
                break;
            default:
                sample.Vectors[5] = float.NaN;
                break;
        }

        Assert.Contains(what, Refused(sample.Bytes()).Message);
    }

    private static byte[] Make()
    {
        using var collection = new SmallCollection(300);
        using QuerySet queries = collection.Of(1, 20, 299);
        SamplingOptions options = new() { L = 12, Top = 6, HopsPerQuery = 3, CandidatesPerHop = 4, Positives = 2, Negatives = 5 };
        return RoutingSampler.Sample(collection.View, queries, options, Work.Quiet).Bytes();
    }

    private static BadFileException Refused(byte[] bytes) => Assert.Throws<BadFileException>(() => RoutingSampleFile.Read(new MemoryStream(bytes), Name));

    private static byte[] Sealed(byte[] bytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(48), Crc32C.Compute(bytes.AsSpan(0, 48)));
        return bytes;
    }
}
