using System.Text;
using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Storage;

/// <summary>
/// <see cref="SegmentInfo"/> to and from its 128 bytes. The same ranges are checked before writing and after reading; they keep every
/// size computed from the info below 2^63.
/// </summary>
internal static unsafe class SegmentInfoCodec
{
    private const uint MaxDim = 65_536;
    private const uint MaxR = 65_536;

    /// <summary>The first field out of its range: its offset in the block, what it holds, what it may hold.</summary>
    public static (int Offset, string Got, string Expected)? FirstFault(in SegmentInfoBlock b)
    {
        uint entryEnd = (uint)Math.Max(1, Math.Min(b.Count, uint.MaxValue));
        int idBytes = b.Count > uint.MaxValue ? 0 : Graph.IdBytesFor((uint)b.Count);
        (bool Ok, int Offset, string Got, string Expected)[] rules =
        [
            (b.Count <= uint.MaxValue, 0, $"{b.Count} vectors", $"at most {uint.MaxValue}"),
            (b.Dim is > 0 and <= MaxDim, 8, $"{b.Dim} dimensions", $"1 to {MaxDim}"),
            (b.ElementType <= (byte)ElementType.Int8, 12, $"element type {b.ElementType}", $"0 to {(byte)ElementType.Int8}"),
            (b.Metric <= (byte)Metric.Cosine, 13, $"metric {b.Metric}", $"0 to {(byte)Metric.Cosine}"),
            (b.IdBytes == idBytes, 14, $"ids of {b.IdBytes} bytes", $"{idBytes} for {b.Count} vectors"),
            (b.R is > 0 and <= MaxR, 32, $"R = {b.R}", $"1 to {MaxR}"),
            (b.Entry < entryEnd, 36, $"entry vertex {b.Entry}", $"below {entryEnd}"),
            (b.SlotTo <= SegmentInfo.SlotCount, 44, $"slots to {b.SlotTo}", $"at most {SegmentInfo.SlotCount}"),
            (b.SlotFrom < b.SlotTo, 40, $"slots from {b.SlotFrom}", $"below {b.SlotTo}, their end"),
            (b.L <= int.MaxValue, 56, $"L = {b.L}", $"at most {int.MaxValue}"),
            (b.C <= int.MaxValue, 60, $"C = {b.C}", $"at most {int.MaxValue}"),
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

    public static SegmentInfo Decode(in SegmentInfoBlock b)
    {
        string version;
        fixed (byte* text = b.LibraryVersion)
        {
            version = Encoding.ASCII.GetString(new ReadOnlySpan<byte>(text, SegmentInfoBlock.LibraryVersionBytes)).TrimEnd('\0');
        }

        return new SegmentInfo(
            (long)b.Count, (int)b.Dim, (ElementType)b.ElementType, (Metric)b.Metric, (int)b.R, b.Entry, (int)b.SlotFrom, (int)b.SlotTo,
            new BuildInfo(b.Seed, (int)b.L, (int)b.C, version));
    }

    public static SegmentInfoBlock Encode(SegmentInfo info)
    {
        Check.That(Ascii.IsValid(info.Build.LibraryVersion) && info.Build.LibraryVersion.Length <= SegmentInfoBlock.LibraryVersionBytes);
        var b = new SegmentInfoBlock
        {
            Count = (ulong)info.Count,
            Dim = (uint)info.Dim,
            ElementType = (byte)info.Type,
            Metric = (byte)info.Metric,
            IdBytes = (byte)Graph.IdBytesFor((uint)info.Count),
            R = (uint)info.R,
            Entry = info.Entry,
            SlotFrom = (uint)info.SlotFrom,
            SlotTo = (uint)info.SlotTo,
            Seed = info.Build.Seed,
            L = (uint)info.Build.L,
            C = (uint)info.Build.C,
        };
        Encoding.ASCII.GetBytes(info.Build.LibraryVersion, new Span<byte>(b.LibraryVersion, SegmentInfoBlock.LibraryVersionBytes));
        return b;
    }
}
