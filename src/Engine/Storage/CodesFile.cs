using System.Runtime.InteropServices;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Storage;

/// <summary>What a codes file holds: which vectors' codes, and which quantizer made them.</summary>
/// <param name="Codes">The quantizer.</param>
/// <param name="QuantizerCrc">CRC-32C of the quantizer's file.</param>
/// <param name="Count">Vectors of the segment.</param>
/// <param name="SlotFrom">First slot of the shard.</param>
/// <param name="SlotTo">The slot after the last.</param>
/// <param name="SegmentCrc"><see cref="Segment.Crc"/> of the segment.</param>
public sealed record CodesFileInfo(CodesInfo Codes, uint QuantizerCrc, long Count, int SlotFrom, int SlotTo, uint SegmentCrc)
{
    /// <summary>Bytes of all codes.</summary>
    public long CodesBytes => Count * Codes.CodeBytes;
}

/// <summary>Takes the next codes of a file, in the order of the vertices.</summary>
/// <param name="codes">First of them.</param>
/// <param name="bytes">A whole number of codes.</param>
public unsafe delegate void CodesSink(byte* codes, long bytes);

/// <summary>
/// The codes of one segment, in a file of their own beside it: header, info block, codes. Training anew writes such files and touches
/// neither graph nor vectors. The format is the declarations of FileHeader.cs and docs/formats.md.
/// </summary>
public static unsafe class CodesFile
{
    private const int HeaderBytes = FileHeader.Bytes + CodesInfoBlock.Bytes;
    private const int ChunkBytes = 4 << 20;
    private const uint MaxM = 65_536;

    /// <summary>Publishes the codes that <paramref name="fill"/> puts into its sink; equal codes give equal bytes.</summary>
    /// <param name="disk">Where.</param>
    /// <param name="path">The file; one of that name is replaced.</param>
    /// <param name="info">What the codes are.</param>
    /// <param name="fill">Puts <see cref="CodesFileInfo.CodesBytes"/> bytes into the sink, piece by piece; an exception leaves no file.</param>
    public static void Write(IDisk disk, string path, CodesFileInfo info, Action<CodesSink> fill)
    {
        CodesInfoBlock block = Encode(info);
        (int Offset, string Got, string Expected)? fault = FirstFault(block);
        Check.That(fault is null, $"codes file: {fault?.Got}, expected {fault?.Expected}");
        AtomicFile.Write(disk, path, HeaderBytes + info.CodesBytes, file =>
        {
            using var stream = new SectionStream(file, HeaderBytes, new Meter(Work.Quiet, "writing codes", info.CodesBytes));
            stream.Begin(HeaderBytes);
            long put = 0;
            fill((codes, bytes) =>
            {
                put += bytes;
                Check.That(put <= info.CodesBytes);
                stream.Append(codes, bytes);
            });
            Check.That(put == info.CodesBytes);
            block.CodesCrc = stream.End();
            file.Write(0, Format(block));
        });
    }

    /// <summary>What a file says that it holds; the codes are not looked at.</summary>
    /// <exception cref="BadFileException">The header is cut, flipped or foreign.</exception>
    public static CodesFileInfo ReadInfo(IDisk disk, string path)
    {
        using IFileReader file = disk.OpenRead(path);
        return Decode(ReadHeader(file, path));
    }

    /// <summary>Loads and verifies a file. Shape: [Count, CodeBytes], without gaps. The caller owns the memory.</summary>
    /// <exception cref="BadFileException">Cut, flipped, foreign, or not the codes that <paramref name="expected"/> describes.</exception>
    public static AlignedBuffer Load(IDisk disk, string path, CodesFileInfo expected, Work work)
    {
        using IFileReader file = disk.OpenRead(path);
        CodesInfoBlock block = ReadHeader(file, path);
        CodesFileInfo info = Decode(block);
        if (info != expected)
        {
            throw new BadFileException(path, FileHeader.Bytes, $"{info}", $"{expected}");
        }

        var codes = new AlignedBuffer(info.CodesBytes);
        try
        {
            Read(file, path, block.CodesCrc, codes.Length, codes, work);
            return codes;
        }
        catch
        {
            codes.Dispose();
            throw;
        }
    }

    /// <summary>Reads a file once and compares its checksums; nothing is kept.</summary>
    /// <exception cref="BadFileException">Cut, flipped or foreign.</exception>
    internal static void Verify(IDisk disk, string path, Work work)
    {
        using IFileReader file = disk.OpenRead(path);
        CodesInfoBlock block = ReadHeader(file, path);
        long length = Decode(block).CodesBytes;
        using var scratch = new AlignedBuffer(Math.Min(ChunkBytes, length));
        Read(file, path, block.CodesCrc, length, scratch, work);
    }

    /// <summary>Reads the codes into <paramref name="target"/>, or through it where it is smaller, and compares their checksum.</summary>
    private static void Read(IFileReader file, string path, uint expectedCrc, long length, AlignedBuffer target, Work work)
    {
        var meter = new Meter(work, "reading codes", length);
        uint crc = 0;
        for (long done = 0; done < length;)
        {
            byte* place = target.Length < length ? target.Pointer : target.Pointer + done;
            var chunk = new Span<byte>(place, (int)Math.Min(ChunkBytes, length - done));
            int got = file.Read(HeaderBytes + done, chunk);
            if (got < chunk.Length)
            {
                throw new BadFileException(path, HeaderBytes + done + got, "the end of the file", $"{length} bytes of codes");
            }

            crc = Crc32C.Compute(chunk, crc);
            done += got;
            meter.Advance(got);
        }

        if (crc != expectedCrc)
        {
            throw new BadFileException(path, HeaderBytes, $"{length} bytes of codes with checksum {crc:x8}", $"{expectedCrc:x8}");
        }
    }

    private static CodesInfoBlock ReadHeader(IFileReader file, string path)
    {
        byte[] bytes = new byte[HeaderBytes];
        int got = file.Read(0, bytes);
        if (got < HeaderBytes)
        {
            throw new BadFileException(path, got, "the end of the file", $"a header of {HeaderBytes} bytes");
        }

        FileHeader head = MemoryMarshal.Read<FileHeader>(bytes);
        HeaderRules.CheckIdentity(head, FileKind.Codes, FileHeader.CodesVersion, path);
        HeaderRules.CheckCrc(bytes, head.HeaderCrc, path);
        CodesInfoBlock block = MemoryMarshal.Read<CodesInfoBlock>(bytes.AsSpan(FileHeader.Bytes));
        if (FirstFault(block) is { } fault)
        {
            throw new BadFileException(path, FileHeader.Bytes + fault.Offset, fault.Got, fault.Expected);
        }

        CodesInfoBlock implied = Encode(Decode(block));
        implied.CodesCrc = block.CodesCrc;
        HeaderRules.CheckSame(bytes, Format(implied), path);
        long length = HeaderBytes + Decode(block).CodesBytes;
        return file.Length == length
            ? block
            : throw new BadFileException(path, Math.Min(file.Length, length), $"{file.Length} bytes in the file", $"{length}");
    }

    private static byte[] Format(in CodesInfoBlock block)
    {
        byte[] bytes = new byte[HeaderBytes];
        var head = new FileHeader
        {
            Magic = FileHeader.SignpostMagic,
            FormatVersion = FileHeader.CodesVersion,
            Kind = FileKind.Codes,
            HeaderBytes = HeaderBytes,
            FileBytes = (ulong)(HeaderBytes + Decode(block).CodesBytes),
            SectionCount = 1,
        };
        MemoryMarshal.Write(bytes, head);
        MemoryMarshal.Write(bytes.AsSpan(FileHeader.Bytes), block);
        head.HeaderCrc = Crc32C.Compute(bytes); // the field itself is still zero
        MemoryMarshal.Write(bytes, head);
        return bytes;
    }

    private static CodesInfoBlock Encode(CodesFileInfo info) => new()
    {
        Count = (ulong)info.Count,
        QuantizerKind = (uint)info.Codes.Kind,
        QuantizerVersion = info.Codes.Version,
        M = (uint)info.Codes.M,
        K = (uint)info.Codes.K,
        CodeBytes = (uint)info.Codes.CodeBytes,
        SlotFrom = (uint)info.SlotFrom,
        SlotTo = (uint)info.SlotTo,
        SegmentCrc = info.SegmentCrc,
        QuantizerCrc = info.QuantizerCrc,
    };

    private static CodesFileInfo Decode(in CodesInfoBlock b) => new(
        new CodesInfo((QuantizerKind)b.QuantizerKind, (int)b.M, (int)b.K, b.QuantizerVersion), b.QuantizerCrc, (long)b.Count, (int)b.SlotFrom,
        (int)b.SlotTo, b.SegmentCrc);

    /// <summary>The first field out of its range; the ranges keep every size computed from them below 2^63.</summary>
    private static (int Offset, string Got, string Expected)? FirstFault(in CodesInfoBlock b)
    {
        ulong codeBytes = b.K == 16 ? ((ulong)b.M + 1) / 2 : b.M;
        (bool Ok, int Offset, string Got, string Expected)[] rules =
        [
            (b.Count <= uint.MaxValue, 0, $"{b.Count} vectors", $"at most {uint.MaxValue}"),
            (b.QuantizerKind is >= (uint)QuantizerKind.Pq and <= (uint)QuantizerKind.Rpq, 8, $"quantizer kind {b.QuantizerKind}", "1 to 3"),
            (b.M is > 0 and <= MaxM, 16, $"M = {b.M}", $"1 to {MaxM}"),
            (b.K is 16 or 256, 20, $"K = {b.K}", "16 or 256"),
            (b.CodeBytes == codeBytes, 24, $"codes of {b.CodeBytes} bytes", $"{codeBytes}"),
            (b.SlotTo <= SegmentInfo.SlotCount, 32, $"slots to {b.SlotTo}", $"at most {SegmentInfo.SlotCount}"),
            (b.SlotFrom < b.SlotTo, 28, $"slots from {b.SlotFrom}", $"below {b.SlotTo}, their end"),
        ];
        foreach ((bool ok, int offset, string got, string expected) in rules)
        {
            if (!ok)
            {
                return (offset, got, expected);
            }
        }

        return null;
    }
}
