using Signpost.Engine.Base;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Storage;

public class SegmentDamageTests
{
    private static readonly byte[] Good = GoodFile();

    [Fact]
    public void Any_flipped_bit_of_the_header_is_refused()
    {
        int headerBytes = 192 + (32 * SegmentSample.Table(Good).Length);
        for (int bit = 0; bit < 8 * headerBytes; bit++)
        {
            AssertRefused(Flipped(bit / 8, (byte)(1 << (bit % 8))), 0, headerBytes);
        }
    }

    [Theory]
    [InlineData(Residency.Mapped)]
    [InlineData(Residency.Loaded)]
    public void Any_flipped_byte_of_the_file_is_refused_in_its_section(Residency vectors)
    {
        int headerBytes = 192 + (32 * SegmentSample.Table(Good).Length);
        for (int at = headerBytes; at < Good.Length; at++)
        {
            SectionEntry section = SegmentSample.Table(Good).LastOrDefault(s => (int)s.Offset <= at);
            AssertRefused(Flipped(at, (byte)(1 << (at % 8))), (long)section.Offset, at + 1, new SegmentLoad { Vectors = vectors });
        }
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused_at_the_cut()
    {
        for (int length = 0; length < Good.Length; length++)
        {
            AssertRefused(Good[..length], length, length + 1);
        }
    }

    [Fact]
    public void A_file_with_bytes_behind_its_end_is_refused() => AssertRefused([.. Good, 0], Good.Length, Good.Length + 1);

    [Fact]
    public void Vectors_are_not_read_where_their_verification_is_switched_off()
    {
        int at = (int)SegmentSample.Section(Good, SectionKind.Vectors).Offset;
        using Segment segment = SegmentSample.Open(Flipped(at, 1), new SegmentLoad { VerifyVectors = false });
        Assert.Equal(Good[at] ^ 1, segment.Vectors.RowSpan(0)[0]);
    }

    // Offsets in the file: 64 is the info block, 192 the table. All checksums are right in these files.
    [Theory]
    [InlineData(0, 0x4142434445464748ul, 0)] // magic
    [InlineData(8, 1u, 8)] // format version
    [InlineData(8, 3u, 8)]
    [InlineData(8, 0u, 8)]
    [InlineData(12, 2u, 12)] // file kind
    [InlineData(16, 200u, 16)] // header bytes
    [InlineData(16, 0xFFFF_FFFFu, 16)]
    [InlineData(24, 1ul, 24)] // file bytes
    [InlineData(32, 0u, 32)] // sections
    [InlineData(32, 5u, 32)]
    [InlineData(36, 1u, 36)] // reserved
    [InlineData(64, 0ul, 100)] // count 0: the entry is out of range first
    [InlineData(64, 22ul, 24)] // count: the file is shorter
    [InlineData(64, 24ul, 208)]
    [InlineData(64, 0xFF_FFFFul, 24)]
    [InlineData(64, 0x100_0000ul, 78)] // needs ids of 4 bytes
    [InlineData(64, 0x1_0000_0000ul, 64)]
    [InlineData(64, ulong.MaxValue, 64)]
    [InlineData(72, 0u, 72)] // dim
    [InlineData(72, 6u, 24)]
    [InlineData(72, 65_537u, 72)]
    [InlineData(72, uint.MaxValue, 72)]
    [InlineData(76, (byte)4, 76)] // element type
    [InlineData(76, (byte)1, 24)]
    [InlineData(77, (byte)3, 77)] // metric
    [InlineData(78, (byte)4, 78)] // id bytes
    [InlineData(78, (byte)0, 78)]
    [InlineData(79, (byte)1, 79)] // reserved: the codes of format version 1
    [InlineData(84, 1u, 84)]
    [InlineData(96, 0u, 96)] // R
    [InlineData(96, 5u, 208)] // R: the graph is longer
    [InlineData(96, uint.MaxValue, 96)]
    [InlineData(100, 23u, 100)] // entry
    [InlineData(100, uint.MaxValue, 100)]
    [InlineData(104, 8192u, 104)] // slot from
    [InlineData(108, 16_385u, 108)] // slot to
    [InlineData(108, 4096u, 104)]
    [InlineData(120, 0x8000_0000u, 120)] // L
    [InlineData(124, 0x8000_0000u, 124)] // C
    [InlineData(128, (byte)0xC8, 128)] // library version, not ASCII
    [InlineData(160, 1ul, 160)] // reserved
    [InlineData(192, 4u, 192)] // kind of the first section
    [InlineData(200, 128ul, 200)] // its offset
    [InlineData(200, ulong.MaxValue, 200)]
    [InlineData(208, ulong.MaxValue, 208)] // its length
    [InlineData(216, 1ul, 216)] // reserved
    [InlineData(288, 9u, 24)] // kind of the metadata section: there is none, the file is too long
    [InlineData(304, 0ul, 304)] // its length
    [InlineData(304, ulong.MaxValue, 304)]
    public void A_header_that_claims_nonsense_is_refused_where_it_does(int offset, object value, long reported)
    {
        byte[] file = value switch
        {
            byte v => SegmentSample.With(Good, offset, v),
            uint v => SegmentSample.With(Good, offset, v),
            ulong v => SegmentSample.With(Good, offset, v),
            _ => throw new ArgumentOutOfRangeException(nameof(value)),
        };
        AssertRefused(file, reported, reported + 8);
    }

    [Fact]
    public void The_metadata_may_be_absent_but_not_unaccounted_for()
    {
        using var sample = new SegmentSample(metadata: null);
        using Segment segment = SegmentSample.Open(sample.Bytes());
        Assert.Null(segment.Metadata);
        AssertRefused(SegmentSample.With(Good, 32, 3u), 16, 17);
    }

    [Theory]
    [InlineData(0, 0, 23, 0)] // first vertex that does not exist
    [InlineData(22, 3, 23, 3)]
    [InlineData(7, 2, 0xFF_FFFE, 2)]
    public void A_neighbour_that_does_not_exist_is_refused_where_it_stands(int vertex, int place, int id, int reportedPlace)
    {
        byte[] file = Good;
        int row = (int)SegmentSample.Section(Good, SectionKind.Graph).Offset + (vertex * 4 * 3);
        for (int i = 0; i <= place; i++)
        {
            file = SegmentSample.With(file, row + (3 * i), (byte)(i < place ? 1 : id));
            file = SegmentSample.With(file, row + (3 * i) + 1, (byte)(i < place ? 0 : id >> 8));
            file = SegmentSample.With(file, row + (3 * i) + 2, (byte)(i < place ? 0 : id >> 16));
        }

        int offset = row + (3 * reportedPlace);
        AssertRefused(file, offset, offset + 1);
    }

    [Fact]
    public void A_neighbour_behind_the_end_of_its_row_is_refused()
    {
        int row = (int)SegmentSample.Section(Good, SectionKind.Graph).Offset + (5 * 4 * 3);
        byte[] file = SegmentSample.With(Good, row, 0x00_0001_FF_FFFFul); // None, then 1, then 0
        AssertRefused(SegmentSample.With(file, row + 8, 0u), row + 3, row + 4);
    }

    [Fact]
    public void The_message_names_the_file_and_the_byte()
    {
        using var sample = new SegmentSample();
        BadFileException e = Assert.Throws<BadFileException>(() => SegmentSample.Open(SegmentSample.With(sample.Bytes(), 8, 9u)));
        Assert.Equal("s: at byte 8: got format version 9, expected 2", e.Message);
    }

    [Fact]
    public void A_segment_of_an_older_version_is_refused_with_what_to_do()
    {
        BadFileException e = Assert.Throws<BadFileException>(() => SegmentSample.Open(SegmentSample.With(Good, 8, 1u)));
        Assert.Equal("s: at byte 8: got format version 1, expected 2; an older version wrote it: build the collection again", e.Message);
    }

    private static byte[] GoodFile()
    {
        using var sample = new SegmentSample();
        return sample.Bytes();
    }

    private static byte[] Flipped(int at, byte mask)
    {
        byte[] file = [.. Good];
        file[at] ^= mask;
        return file;
    }

    /// <summary>Refused with the path and an offset in [from, to).</summary>
    private static void AssertRefused(byte[] file, long from, long to, SegmentLoad? load = null)
    {
        BadFileException e = Assert.Throws<BadFileException>(() => SegmentSample.Open(file, load));
        Assert.Equal("s", e.Path);
        Assert.InRange(e.Offset, from, to - 1);
    }
}
