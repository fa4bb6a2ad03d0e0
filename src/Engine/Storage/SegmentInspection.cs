using Signpost.Engine.Base;

namespace Signpost.Engine.Storage;

/// <summary>A section of a segment file as it is.</summary>
/// <param name="Name">What it holds: graph, ids, vectors, metadata.</param>
/// <param name="Offset">First byte in the file.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Crc">CRC-32C that the header gives.</param>
/// <param name="Damage">What is wrong with its bytes; null when they have that checksum.</param>
public sealed record SectionState(string Name, long Offset, long Length, uint Crc, string? Damage);

/// <summary>What a segment file says of itself, and which of its sections are whole: for looking at files, not for searching.</summary>
/// <param name="Info">What the segment is.</param>
/// <param name="FormatVersion">Version of the file format.</param>
/// <param name="HeaderBytes">Bytes of the header with its section table.</param>
/// <param name="HeaderCrc">CRC-32C of the header (<see cref="Segment.Crc"/>).</param>
/// <param name="FileBytes">Bytes of the file.</param>
/// <param name="Sections">In the order of the file.</param>
public sealed record SegmentInspection(SegmentInfo Info, uint FormatVersion, long HeaderBytes, uint HeaderCrc, long FileBytes, IReadOnlyList<SectionState> Sections)
{
    /// <summary>Reads the header and the checksum of every section; a damaged section does not end it, a damaged header does.</summary>
    /// <exception cref="BadFileException">The header is cut, flipped or foreign.</exception>
    public static SegmentInspection Read(IDisk disk, string path, Work work)
    {
        using IFileReader file = disk.OpenRead(path);
        SegmentHeader header = SegmentHeader.Read(file, path);
        using var reader = new SegmentReader(file, path, header, work);
        var sections = new SectionState[header.Sections.Length];
        for (int i = 0; i < sections.Length; i++)
        {
            Section section = header.Sections[i];
            sections[i] = new SectionState(section.Kind.ToString().ToLowerInvariant(), section.Offset, section.Length, header.Crcs[i], DamageOf(reader, section));
        }

        return new SegmentInspection(header.Info, FileHeader.SegmentVersion, header.HeaderBytes, header.Crc, file.Length, sections);
    }

    private static string? DamageOf(SegmentReader reader, Section section)
    {
        try
        {
            reader.Verify(section);
            return null;
        }
        catch (BadFileException e)
        {
            return $"got {e.Got}, expected {e.Expected}";
        }
    }
}
