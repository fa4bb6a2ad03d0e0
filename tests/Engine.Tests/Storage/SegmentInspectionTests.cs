using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Tests.Storage;

public class SegmentInspectionTests
{
    [Fact]
    public void A_sound_file_is_told_section_by_section()
    {
        using var sample = new SegmentSample();
        byte[] file = sample.Bytes();

        SegmentInspection seen = Inspect(file);

        using Segment segment = SegmentSample.Open(file);
        Assert.Equal(segment.Info, seen.Info);
        Assert.Equal((2u, 192L + (4 * 32), file.Length), (seen.FormatVersion, seen.HeaderBytes, (int)seen.FileBytes));
        Assert.Equal(["graph", "ids", "vectors", "metadata"], seen.Sections.Select(s => s.Name));
        Assert.Equal(
            SegmentSample.Table(file).Select(s => ((long)s.Offset, (long)s.Length, s.Crc)), seen.Sections.Select(s => (s.Offset, s.Length, s.Crc)));
        Assert.All(seen.Sections, section => Assert.Null(section.Damage));
        Assert.Equal(segment.Crc, seen.HeaderCrc);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_damaged_section_is_told_and_the_others_are_still_looked_at(int damaged)
    {
        using var sample = new SegmentSample();
        byte[] file = sample.Bytes();
        file[(int)SegmentSample.Table(file)[damaged].Offset] ^= 1;

        SegmentInspection seen = Inspect(file);

        Assert.Contains("checksum", seen.Sections[damaged].Damage);
        Assert.All(seen.Sections.Where((_, i) => i != damaged), section => Assert.Null(section.Damage));
    }

    [Fact]
    public void A_damaged_header_is_thrown_because_nothing_behind_it_can_be_told()
    {
        using var sample = new SegmentSample();
        byte[] file = sample.Bytes();
        file[70] ^= 1;

        Assert.Throws<BadFileException>(() => Inspect(file));
    }

    [Fact]
    public void A_file_that_is_cut_is_thrown_with_its_header()
    {
        using var sample = new SegmentSample(metadata: null);
        byte[] file = sample.Bytes();

        Assert.Throws<BadFileException>(() => Inspect(file[..^1])); // the length of the file is part of the header
    }

    private static SegmentInspection Inspect(byte[] file)
    {
        var disk = new FaultyDisk { ["s"] = file };
        SegmentInspection seen;
        try
        {
            seen = SegmentInspection.Read(disk, "s", Work.Quiet);
        }
        finally
        {
            Assert.Equal(0, disk.OpenHandles);
        }

        return seen;
    }
}
