using System.Runtime.InteropServices;
using Signpost.Engine.Base;

namespace Signpost.Engine.Storage;

/// <summary>One section of a segment: [Offset, Offset + Length) of the file.</summary>
internal readonly record struct Section(SectionKind Kind, long Offset, long Length)
{
    public long End => Offset + Length;
}

/// <summary>
/// The header of a segment file. Every byte of it follows from the info, the length of the metadata and the checksums, so a header
/// is valid exactly when writing what was read gives the same bytes: no length or offset of a file is ever trusted.
/// </summary>
internal sealed class SegmentHeader
{
    /// <summary>Most bytes of metadata.</summary>
    public const int MaxMetadataBytes = 16 << 20;

    private const int FixedBytes = FileHeader.Bytes + SegmentInfoBlock.Bytes;
    private const long SectionAlignment = 64; // a cache line
    private const long VectorsAlignment = 4096; // a page, so that the rows map where they lie
    private const int MinSections = 3; // graph, ids, vectors
    private const int MaxSections = 4; // and metadata

    public SegmentHeader(SegmentInfo info, long metadataBytes)
    {
        Check.That(metadataBytes is >= 0 and <= MaxMetadataBytes);
        Info = info;
        (SectionKind Kind, long Length)[] all =
        [
            (SectionKind.Graph, info.GraphBytes),
            (SectionKind.Ids, info.IdsBytes),
            (SectionKind.Vectors, info.VectorsBytes),
            (SectionKind.Metadata, metadataBytes),
        ];
        var present = all
            .Where(s => s.Kind != SectionKind.Metadata || metadataBytes > 0)
            .ToArray();
        HeaderBytes = FixedBytes + (present.Length * SectionEntry.Bytes);
        Sections = new Section[present.Length];
        long at = HeaderBytes;
        for (int i = 0; i < present.Length; i++)
        {
            long alignment = present[i].Kind == SectionKind.Vectors ? VectorsAlignment : SectionAlignment;
            at = (at + alignment - 1) / alignment * alignment;
            Sections[i] = new Section(present[i].Kind, at, present[i].Length);
            at = Sections[i].End;
        }

        Crcs = new uint[Sections.Length];
    }

    public SegmentInfo Info { get; }

    public int HeaderBytes { get; }

    /// <summary>In the order of the file.</summary>
    public Section[] Sections { get; }

    /// <summary>CRC-32C of each section.</summary>
    public uint[] Crcs { get; }

    /// <summary>CRC-32C of the header; as it holds those of all sections, it tells two segments apart.</summary>
    public uint Crc { get; private set; }

    public long FileBytes => Sections[^1].End;

    /// <summary>Reads and verifies the header; the content of the sections is not looked at.</summary>
    /// <exception cref="BadFileException">Cut, flipped or foreign.</exception>
    public static SegmentHeader Read(IFileReader file, string path)
    {
        byte[] first = new byte[FixedBytes + (MaxSections * SectionEntry.Bytes)];
        int got = file.Read(0, first);
        if (got < FixedBytes)
        {
            throw new BadFileException(path, got, "the end of the file", $"a header of at least {FixedBytes} bytes");
        }

        FileHeader head = MemoryMarshal.Read<FileHeader>(first);
        CheckShape(head, path);
        if (got < head.HeaderBytes)
        {
            throw new BadFileException(path, got, "the end of the file", $"a header of {head.HeaderBytes} bytes");
        }

        byte[] bytes = first[..(int)head.HeaderBytes];
        HeaderRules.CheckCrc(bytes, head.HeaderCrc, path);
        SegmentInfoBlock block = MemoryMarshal.Read<SegmentInfoBlock>(bytes.AsSpan(FileHeader.Bytes));
        if (SegmentInfoCodec.FirstFault(block) is { } fault)
        {
            throw new BadFileException(path, FileHeader.Bytes + fault.Offset, fault.Got, fault.Expected);
        }

        var table = MemoryMarshal.Cast<byte, SectionEntry>(bytes.AsSpan(FixedBytes)).ToArray();
        var header = new SegmentHeader(SegmentInfoCodec.Decode(block), MetadataBytes(table, path));
        for (int i = 0; i < Math.Min(table.Length, header.Crcs.Length); i++)
        {
            header.Crcs[i] = table[i].Crc;
        }

        HeaderRules.CheckSame(bytes, header.Format(), path);
        if (file.Length != header.FileBytes)
        {
            throw new BadFileException(path, Math.Min(file.Length, header.FileBytes), $"{file.Length} bytes in the file", $"{header.FileBytes}");
        }

        return header;
    }

    /// <summary>The bytes of the header.</summary>
    public byte[] Format()
    {
        byte[] bytes = new byte[HeaderBytes];
        var head = new FileHeader
        {
            Magic = FileHeader.SignpostMagic,
            FormatVersion = FileHeader.SegmentVersion,
            Kind = FileKind.Segment,
            HeaderBytes = (uint)HeaderBytes,
            FileBytes = (ulong)FileBytes,
            SectionCount = (uint)Sections.Length,
        };
        MemoryMarshal.Write(bytes, head);
        MemoryMarshal.Write(bytes.AsSpan(FileHeader.Bytes), SegmentInfoCodec.Encode(Info));
        for (int i = 0; i < Sections.Length; i++)
        {
            Section section = Sections[i];
            MemoryMarshal.Write(bytes.AsSpan(FixedBytes + (i * SectionEntry.Bytes)), new SectionEntry
            {
                Kind = section.Kind,
                Crc = Crcs[i],
                Offset = (ulong)section.Offset,
                Length = (ulong)section.Length,
            });
        }

        Crc = head.HeaderCrc = Crc32C.Compute(bytes); // the field itself is still zero
        MemoryMarshal.Write(bytes, head);
        return bytes;
    }

    private static void CheckShape(in FileHeader head, string path)
    {
        HeaderRules.CheckIdentity(head, FileKind.Segment, FileHeader.SegmentVersion, path);
        if (head.SectionCount is < MinSections or > MaxSections)
        {
            throw new BadFileException(path, 32, $"{head.SectionCount} sections", $"{MinSections} to {MaxSections}");
        }

        uint headerBytes = FixedBytes + (head.SectionCount * SectionEntry.Bytes);
        if (head.HeaderBytes != headerBytes)
        {
            throw new BadFileException(path, 16, $"a header of {head.HeaderBytes} bytes", $"{headerBytes}");
        }
    }

    private static long MetadataBytes(SectionEntry[] table, string path)
    {
        SectionEntry last = table[^1];
        if (last.Kind != SectionKind.Metadata)
        {
            return 0;
        }

        if (last.Length is 0 or > MaxMetadataBytes)
        {
            long offset = FixedBytes + ((table.Length - 1) * SectionEntry.Bytes) + 16;
            throw new BadFileException(path, offset, $"{last.Length} bytes of metadata", $"1 to {MaxMetadataBytes}");
        }

        return (long)last.Length;
    }
}
