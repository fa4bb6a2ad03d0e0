using System.Runtime.InteropServices;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Tests.Storage;

public unsafe class CodesFileTests
{
    private static readonly CodesFileInfo Info = new(new CodesInfo(QuantizerKind.Opq, 3, 256, 7), 0x1122_3344, 20, 4096, 8192, 0x5566_7788);
    private static readonly byte[] Codes = [.. Enumerable.Range(0, 60).Select(i => (byte)(i * 7))];
    private static readonly byte[] Good = Write(Info, Codes, 60);

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(60)]
    public void Codes_come_back_as_they_were_whatever_the_pieces_they_were_written_in(int piece)
    {
        byte[] file = Write(Info, Codes, piece);
        Assert.Equal(Good, file);
        Assert.Equal(Codes, Load(file));
    }

    [Theory]
    [InlineData(256, 5, 5)]
    [InlineData(16, 5, 3)]
    [InlineData(16, 4, 2)]
    public void Any_shape_comes_back_also_an_empty_one(int k, int m, int codeBytes)
    {
        foreach (int count in (int[])[0, 1, 5000])
        {
            CodesFileInfo info = Info with { Codes = new CodesInfo(QuantizerKind.Pq, m, k, 1), Count = count };
            byte[] codes = [.. Enumerable.Range(0, count * codeBytes).Select(i => (byte)(i * 31))];
            byte[] file = Write(info, codes, 1024);
            Assert.Equal(128 + codes.Length, file.Length);
            Assert.Equal(codes, Load(file, info));
            Assert.Equal(info, CodesFile.ReadInfo(new FaultyDisk { ["c"] = file }, "c"));
        }
    }

    [Fact]
    public void The_bytes_of_a_file_never_change()
    {
        // Computed from docs/formats.md, not from the program: header, info block, codes.
        byte[] expected = new byte[128 + 60];
        "SIGNPOST"u8.CopyTo(expected);
        uint[] fields = [1, 2, 128, 0, 188, 0, 1]; // version, kind, header bytes, checksum, file bytes (8), sections
        MemoryMarshal.AsBytes<uint>(fields).CopyTo(expected.AsSpan(8));
        uint[] info = [20, 0, 2, 7, 3, 256, 3, 4096, 8192, 0x5566_7788, 0x1122_3344, Crc32C.Compute(Codes)];
        MemoryMarshal.AsBytes<uint>(info).CopyTo(expected.AsSpan(64));
        MemoryMarshal.Write(expected.AsSpan(20), Crc32C.Compute(expected.AsSpan(0, 128)));
        Codes.CopyTo(expected, 128);
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(Good));
    }

    [Fact]
    public void Any_flipped_bit_is_refused()
    {
        for (int bit = 0; bit < 8 * Good.Length; bit++)
        {
            byte[] bad = [.. Good];
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            BadFileException e = Refused(bad);
            Assert.InRange(e.Offset, 0, Math.Max(128, bit / 8));
        }
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused_at_the_cut_and_one_with_more_behind_it_at_its_end()
    {
        for (int length = 0; length < Good.Length; length++)
        {
            Assert.Equal(length, Refused(Good[..length]).Offset);
        }

        Assert.Equal(Good.Length, Refused([.. Good, 0]).Offset);
    }

    // All checksums are right in these files. Offsets in the file: 64 is the info block.
    [Theory]
    [InlineData(0, 0x4142434445464748ul, 0)] // magic
    [InlineData(8, 2u, 8)] // format version
    [InlineData(12, 1u, 12)] // kind: a segment
    [InlineData(16, 160u, 16)] // header bytes
    [InlineData(24, 1ul, 24)] // file bytes
    [InlineData(32, 2u, 32)] // sections
    [InlineData(36, 1u, 36)] // reserved
    [InlineData(64, 19ul, 24)] // count: the file is shorter
    [InlineData(64, 0x1_0000_0000ul, 64)]
    [InlineData(64, ulong.MaxValue, 64)]
    [InlineData(72, 0u, 72)] // quantizer kind
    [InlineData(72, 4u, 72)]
    [InlineData(80, 0u, 80)] // M
    [InlineData(80, 65_537u, 80)]
    [InlineData(84, 17u, 84)] // K
    [InlineData(84, 16u, 88)]
    [InlineData(88, 4u, 88)] // code bytes
    [InlineData(92, 8192u, 92)] // slot from
    [InlineData(96, 16_385u, 96)] // slot to
    [InlineData(112, 1u, 112)] // reserved
    [InlineData(124, 1u, 124)]
    public void A_header_that_claims_nonsense_is_refused_where_it_does(int offset, object value, long reported)
    {
        byte[] file = [.. Good];
        if (value is ulong wide)
        {
            MemoryMarshal.Write(file.AsSpan(offset), wide);
        }
        else
        {
            MemoryMarshal.Write(file.AsSpan(offset), (uint)value);
        }

        MemoryMarshal.Write(file.AsSpan(20), 0u);
        MemoryMarshal.Write(file.AsSpan(20), Crc32C.Compute(file.AsSpan(0, 128)));
        Assert.InRange(Refused(file).Offset, reported, reported + 7);
    }

    [Fact]
    public void Codes_of_other_vectors_or_of_another_quantizer_are_refused()
    {
        CodesFileInfo[] others =
        [
            Info with { Count = 19 }, Info with { SlotFrom = 0 }, Info with { SlotTo = 8193 }, Info with { SegmentCrc = 1 }, Info with { QuantizerCrc = 1 },
            Info with { Codes = Info.Codes with { Version = 8 } }, Info with { Codes = Info.Codes with { Kind = QuantizerKind.Pq } },
        ];
        foreach (CodesFileInfo other in others)
        {
            Assert.Equal("c", Assert.Throws<BadFileException>(() => Load(Good, other)).Path);
        }
    }

    [Theory]
    [InlineData(59)]
    [InlineData(61)]
    public void Too_few_or_too_many_codes_are_never_published(int bytes)
    {
        var disk = new FaultyDisk();
        Assert.Throws<CheckFailedException>(() => Write(disk, Info, new byte[bytes], 1));
        Assert.Empty(disk.List("."));
    }

    [Fact]
    public void A_file_is_whole_or_absent_after_a_crash_at_any_step()
    {
        var healthy = new FaultyDisk();
        Write(healthy, Info, Codes, 7);
        for (int stop = 1; stop <= healthy.Steps; stop++)
        {
            var disk = new FaultyDisk { StopAt = stop };
            Assert.Throws<IOException>(() => Write(disk, Info, Codes, 7));
            foreach (Loss loss in FaultyDisk.Losses)
            {
                FaultyDisk next = disk.AfterCrash(loss);
                Assert.True(!next.Exists("c") || next["c"].SequenceEqual(Good), $"stopped at step {stop}, lost {loss}");
            }
        }
    }

    private static byte[] Write(CodesFileInfo info, byte[] codes, int piece) => Write(new FaultyDisk(), info, codes, piece)["c"];

    private static FaultyDisk Write(FaultyDisk disk, CodesFileInfo info, byte[] codes, int piece)
    {
        CodesFile.Write(disk, "c", info, sink =>
        {
            fixed (byte* first = codes)
            {
                for (int at = 0; at < codes.Length; at += piece)
                {
                    sink(first + at, Math.Min(piece, codes.Length - at));
                }
            }
        });
        return disk;
    }

    private static byte[] Load(byte[] file, CodesFileInfo? expected = null)
    {
        var disk = new FaultyDisk { ["c"] = file };
        try
        {
            using AlignedBuffer codes = CodesFile.Load(disk, "c", expected ?? Info, Work.Quiet);
            return new ReadOnlySpan<byte>(codes.Pointer, (int)codes.Length).ToArray();
        }
        finally
        {
            Assert.Equal(0, disk.OpenHandles);
        }
    }

    private static BadFileException Refused(byte[] file)
    {
        BadFileException e = Assert.Throws<BadFileException>(() => Load(file));
        Assert.Equal("c", e.Path);
        return e;
    }
}
