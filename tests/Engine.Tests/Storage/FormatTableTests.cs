using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Tests.Storage;

/// <summary>The declarations that the engine reads with and the tables that people read are the same.</summary>
public class FormatTableTests
{
    [Fact]
    public void The_header_structs_have_the_documented_sizes()
    {
        Assert.Equal((64, FileHeader.Bytes), (Unsafe.SizeOf<FileHeader>(), FileHeader.Bytes));
        Assert.Equal((128, SegmentInfoBlock.Bytes), (Unsafe.SizeOf<SegmentInfoBlock>(), SegmentInfoBlock.Bytes));
        Assert.Equal((64, CodesInfoBlock.Bytes), (Unsafe.SizeOf<CodesInfoBlock>(), CodesInfoBlock.Bytes));
        Assert.Equal((32, SectionEntry.Bytes), (Unsafe.SizeOf<SectionEntry>(), SectionEntry.Bytes));
        Assert.Equal("SIGNPOST", Encoding.ASCII.GetString(BitConverter.GetBytes(FileHeader.SignpostMagic)));
    }

    [Theory]
    [InlineData(typeof(FileHeader), "### Header: 64 bytes at 0")]
    [InlineData(typeof(SegmentInfoBlock), "### Info block: 128 bytes at 64")]
    [InlineData(typeof(SectionEntry), "### Section table: 32 bytes each, from 192")]
    [InlineData(typeof(CodesInfoBlock), "### Info block of codes: 64 bytes at 64")]
    public void Every_field_is_where_its_table_says(Type type, string heading)
    {
        string[] declared = [.. type.GetFields(BindingFlags.Public | BindingFlags.Instance)
            .Select(f => $"{f.GetCustomAttribute<FieldOffsetAttribute>()!.Value} {Size(f)} {f.Name}")];
        Assert.Equal(declared, Rows(heading).Select(r => $"{r[0]} {r[1]} {r[2].Trim('`')}"));
    }

    [Fact]
    public void Fields_do_not_overlap()
    {
        foreach (Type type in new[] { typeof(FileHeader), typeof(SegmentInfoBlock), typeof(SectionEntry), typeof(CodesInfoBlock) })
        {
            int end = 0;
            foreach (FieldInfo field in type.GetFields(BindingFlags.Public | BindingFlags.Instance))
            {
                int offset = field.GetCustomAttribute<FieldOffsetAttribute>()!.Value;
                Assert.True(offset >= end, $"{type.Name}.{field.Name}");
                end = offset + Size(field);
            }

            Assert.True(end <= type.StructLayoutAttribute!.Size);
        }
    }

    [Fact]
    public void The_sections_of_a_file_are_those_of_the_table()
    {
        using var sample = new SegmentSample(count: 100, dim: 48);
        byte[] file = sample.Bytes();
        SectionEntry[] sections = SegmentSample.Table(file);
        string[][] rows = [.. Rows("### Sections, in this order")];
        Assert.Equal(rows.Select(r => uint.Parse(r[0])), sections.Select(s => (uint)s.Kind));
        long[] lengths = [(100 * 4 * 3) + 1, 100 * 8, 100 * 48 * 4, 7];
        Assert.Equal(lengths, sections.Select(s => (long)s.Length));
        ulong at = (ulong)(192 + (32 * sections.Length));
        foreach ((SectionEntry section, string[] row) in sections.Zip(rows))
        {
            ulong alignment = ulong.Parse(row[2]);
            Assert.Equal((at + alignment - 1) / alignment * alignment, section.Offset);
            at = section.Offset + section.Length;
        }

        Assert.Equal((ulong)file.Length, at);
    }

    [Fact]
    public void The_members_of_a_manifest_are_those_of_the_table()
    {
        IEnumerable<string> members = typeof(CollectionManifest).GetConstructors().Single(c => c.GetParameters().Length > 1).GetParameters()
            .Select(p => char.ToLowerInvariant(p.Name![0]) + p.Name[1..]);
        Assert.Equal(members, Rows("## Manifest").Select(r => r[0].Trim('`')));
    }

    [Fact]
    public void The_fields_of_a_quantizer_leave_no_gap_before_the_payload()
    {
        int end = 0;
        foreach (string[] row in Rows("## Quantizer"))
        {
            Assert.Equal(end, int.Parse(row[0]));
            end += row[1].Length == 0 ? 0 : int.Parse(row[1]);
        }

        Assert.Equal(56, end);
    }

    private static int Size(FieldInfo field)
    {
        FixedBufferAttribute? buffer = field.GetCustomAttribute<FixedBufferAttribute>();
        Type type = field.FieldType.IsEnum ? Enum.GetUnderlyingType(field.FieldType) : field.FieldType;
        return buffer?.Length ?? Marshal.SizeOf(type);
    }

    /// <summary>The cells of the first table below a heading.</summary>
    private static IEnumerable<string[]> Rows(string heading) => File.ReadLines(Document())
        .SkipWhile(line => line != heading)
        .SkipWhile(line => !line.StartsWith('|'))
        .TakeWhile(line => line.StartsWith('|'))
        .Skip(2)
        .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries));

    private static string Document()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, "docs", "formats.md");
            if (File.Exists(path))
            {
                return path;
            }
        }

        throw new FileNotFoundException("docs/formats.md above the tests");
    }
}
