using System.Runtime.InteropServices;

namespace Signpost.Engine.Storage;

/// <summary>What a binary file of Signpost holds.</summary>
internal enum FileKind : uint
{
    Segment = 1,
    Codes = 2,
}

/// <summary>What a section of a segment holds; also the order of the sections in the file. 2 was the codes of format version 1.</summary>
internal enum SectionKind : uint
{
    Graph = 1,
    Ids = 3,
    Vectors = 4,
    Metadata = 5,
}

/// <summary>
/// The first 64 bytes of a binary file, little-endian; bytes without a field are zero. The tables of docs/formats.md are these
/// declarations; a test compares them.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct FileHeader
{
    public const int Bytes = 64;

    /// <summary>"SIGNPOST" in ASCII.</summary>
    public const ulong SignpostMagic = 0x5453_4F50_4E47_4953;

    /// <summary>Of a segment. Version 1 held codes too.</summary>
    public const uint SegmentVersion = 2;

    /// <summary>Of a codes file.</summary>
    public const uint CodesVersion = 1;

    [FieldOffset(0)]
    public ulong Magic;

    [FieldOffset(8)]
    public uint FormatVersion;

    [FieldOffset(12)]
    public FileKind Kind;

    /// <summary>Bytes of this header and all that is before the first section.</summary>
    [FieldOffset(16)]
    public uint HeaderBytes;

    /// <summary>CRC-32C of the first <see cref="HeaderBytes"/> bytes, taken with this field zero.</summary>
    [FieldOffset(20)]
    public uint HeaderCrc;

    /// <summary>Bytes of the whole file.</summary>
    [FieldOffset(24)]
    public ulong FileBytes;

    [FieldOffset(32)]
    public uint SectionCount;
}

/// <summary>What a segment is, at byte 64; 128 bytes, bytes without a field are zero.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal unsafe struct SegmentInfoBlock
{
    public const int Bytes = 128;
    public const int LibraryVersionBytes = 32;

    [FieldOffset(0)]
    public ulong Count;

    [FieldOffset(8)]
    public uint Dim;

    [FieldOffset(12)]
    public byte ElementType;

    [FieldOffset(13)]
    public byte Metric;

    /// <summary>Bytes of a vertex id in the graph, 3 or 4; follows from the count.</summary>
    [FieldOffset(14)]
    public byte IdBytes;

    [FieldOffset(32)]
    public uint R;

    [FieldOffset(36)]
    public uint Entry;

    /// <summary>First slot of the shard.</summary>
    [FieldOffset(40)]
    public uint SlotFrom;

    /// <summary>The slot after the last.</summary>
    [FieldOffset(44)]
    public uint SlotTo;

    [FieldOffset(48)]
    public ulong Seed;

    [FieldOffset(56)]
    public uint L;

    [FieldOffset(60)]
    public uint C;

    /// <summary>ASCII, filled up with zeros.</summary>
    [FieldOffset(64)]
    public fixed byte LibraryVersion[LibraryVersionBytes];
}

/// <summary>Where a section lies, at byte 192 + 32 i.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct SectionEntry
{
    public const int Bytes = 32;

    [FieldOffset(0)]
    public SectionKind Kind;

    /// <summary>CRC-32C of the section.</summary>
    [FieldOffset(4)]
    public uint Crc;

    [FieldOffset(8)]
    public ulong Offset;

    [FieldOffset(16)]
    public ulong Length;
}

/// <summary>What a codes file is, at byte 64; 64 bytes, bytes without a field are zero.</summary>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
internal struct CodesInfoBlock
{
    public const int Bytes = 64;

    [FieldOffset(0)]
    public ulong Count;

    [FieldOffset(8)]
    public uint QuantizerKind;

    [FieldOffset(12)]
    public uint QuantizerVersion;

    [FieldOffset(16)]
    public uint M;

    [FieldOffset(20)]
    public uint K;

    [FieldOffset(24)]
    public uint CodeBytes;

    /// <summary>First slot of the shard.</summary>
    [FieldOffset(28)]
    public uint SlotFrom;

    /// <summary>The slot after the last.</summary>
    [FieldOffset(32)]
    public uint SlotTo;

    /// <summary><see cref="FileHeader.HeaderCrc"/> of the segment whose vectors these are; it covers the checksums of all its sections.</summary>
    [FieldOffset(36)]
    public uint SegmentCrc;

    /// <summary>CRC-32C of the quantizer file that made the codes.</summary>
    [FieldOffset(40)]
    public uint QuantizerCrc;

    /// <summary>CRC-32C of the codes.</summary>
    [FieldOffset(44)]
    public uint CodesCrc;
}
