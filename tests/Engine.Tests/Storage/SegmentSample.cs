using System.Runtime.InteropServices;
using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Storage;

/// <summary>A small segment with seeded content, and ways to damage its bytes.</summary>
internal sealed unsafe class SegmentSample : IDisposable
{
    public SegmentSample(int count = 23, int dim = 5, ElementType type = ElementType.Float32, int r = 4, string? metadata = "{\"a\":1}", ulong seed = 1)
    {
        var random = new Seeded(seed, 0);
        Vectors = VectorBlock.Allocate(count, dim, type);
        for (long i = 0; i < Vectors.Count * Vectors.RowBytes; i++)
        {
            Vectors.First[i] = (byte)random.Next(256);
        }

        Graph = Graph.Allocate((uint)count, r, (uint)(count / 2));
        for (uint v = 0; v < count; v++)
        {
            uint[] neighbours = new uint[random.Next(r + 1)];
            foreach (ref uint id in neighbours.AsSpan())
            {
                id = (uint)random.Next(count);
            }

            Graph.SetNeighbours(v, neighbours);
        }

        Content = new SegmentContent
        {
            Vectors = Vectors,
            Graph = Graph,
            Ids = Enumerable.Range(0, count).Select(i => (ulong)i * 1_000_000_007 + ulong.MaxValue / 2).ToArray(),
            Metric = Metric.InnerProduct,
            SlotFrom = 4096,
            SlotTo = 8192,
            Build = new BuildInfo(seed, 100, 500, "0.1.0"),
            Metadata = metadata,
        };
    }

    public VectorBlock Vectors { get; }

    public Graph Graph { get; }

    public SegmentContent Content { get; }

    /// <summary>The segment as a file's bytes.</summary>
    public byte[] Bytes()
    {
        var disk = new FaultyDisk();
        SegmentWriter.Write(disk, "s", Content, Work.Quiet);
        return disk["s"];
    }

    /// <summary>Sets a field of a header and makes all checksums right again, as a hostile or foreign writer would.</summary>
    public static byte[] With<T>(byte[] file, int offset, T value)
        where T : unmanaged
    {
        byte[] bytes = [.. file];
        MemoryMarshal.Write(bytes.AsSpan(offset), value);
        Reseal(bytes);
        return bytes;
    }

    /// <summary>The table of a file.</summary>
    public static SectionEntry[] Table(byte[] file)
    {
        int sections = MemoryMarshal.Read<int>(file.AsSpan(32));
        return MemoryMarshal.Cast<byte, SectionEntry>(file.AsSpan(192, sections * SectionEntry.Bytes)).ToArray();
    }

    public static SectionEntry Section(byte[] file, SectionKind kind) => Table(file).Single(s => s.Kind == kind);

    public static Segment Open(byte[] file, SegmentLoad? load = null)
    {
        var disk = new FaultyDisk { ["s"] = file };
        try
        {
            return Segment.Open(disk, "s", load ?? new SegmentLoad(), Work.Quiet).OrThrow();
        }
        catch
        {
            Assert.Equal(0, disk.OpenHandles); // nothing half-open is left
            throw;
        }
    }

    public void Dispose()
    {
        Vectors.Dispose();
        Graph.Dispose();
    }

    private static void Reseal(byte[] bytes)
    {
        int headerBytes = MemoryMarshal.Read<int>(bytes.AsSpan(16));
        if (headerBytes < 192 || headerBytes > bytes.Length)
        {
            return;
        }

        foreach ((SectionEntry entry, int at) in MemoryMarshal.Cast<byte, SectionEntry>(bytes.AsSpan(192, headerBytes - 192)).ToArray().Select((e, i) => (e, 192 + (32 * i))))
        {
            ulong size = (ulong)bytes.Length;
            if (entry.Offset <= size && entry.Length <= size - entry.Offset)
            {
                MemoryMarshal.Write(bytes.AsSpan(at + 4), Crc32C.Compute(bytes.AsSpan((int)entry.Offset, (int)entry.Length)));
            }
        }

        MemoryMarshal.Write(bytes.AsSpan(20), 0u);
        MemoryMarshal.Write(bytes.AsSpan(20), Crc32C.Compute(bytes.AsSpan(0, headerBytes)));
    }
}
