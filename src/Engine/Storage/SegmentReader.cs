using Signpost.Engine.Base;
using Signpost.Engine.Graphs;

namespace Signpost.Engine.Storage;

/// <summary>Reads sections of one open segment file and verifies all of it: checksums, the zeros between sections, neighbour ids.</summary>
internal sealed unsafe class SegmentReader(IFileReader file, string path, SegmentHeader header, Work work) : IDisposable
{
    private const int ChunkBytes = 4 << 20;

    private readonly AlignedBuffer _scratch = new(Math.Min(ChunkBytes, header.FileBytes));

    /// <summary>The section of a kind; null where the file has none.</summary>
    public Section? Find(SectionKind kind)
    {
        int i = Array.FindIndex(header.Sections, s => s.Kind == kind);
        return i < 0 ? null : header.Sections[i];
    }

    /// <summary>Reads a section into memory of its own and compares its checksum.</summary>
    public AlignedBuffer Load(Section section)
    {
        var buffer = new AlignedBuffer(section.Length);
        try
        {
            Consume(section, buffer.Pointer);
            return buffer;
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>Reads a section once, only to compare its checksum.</summary>
    /// <remarks>With reads, not through a mapping: a failing device is then an exception and not the end of the process.</remarks>
    public void Verify(Section section) => Consume(section, null);

    /// <summary>Checks that the bytes between header and sections are zero, so that no byte of the file may change unnoticed.</summary>
    public void VerifyGaps()
    {
        long from = header.HeaderBytes;
        foreach (Section section in header.Sections)
        {
            int length = (int)(section.Offset - from);
            var gap = new Span<byte>(_scratch.Pointer, length);
            ReadAll(from, gap);
            int at = gap.IndexOfAnyExcept((byte)0);
            if (at >= 0)
            {
                throw new BadFileException(path, from + at, $"0x{gap[at]:X2}", "0x00 between two sections");
            }

            from = section.End;
        }
    }

    /// <summary>Checks that every neighbour is a vertex and that unused places are at the end of their row.</summary>
    public void VerifyNeighbours(Graph graph, Section section)
    {
        const int RowsPerChunk = 1 << 14;
        long firstBad = long.MaxValue;
        work.For("checking the graph", graph.Count, RowsPerChunk, (from, to, _) =>
        {
            for (long vertex = from; vertex < to; vertex++)
            {
                int place = FirstBadPlace(graph, (uint)vertex);
                if (place >= 0)
                {
                    InterlockedMin(ref firstBad, (vertex * graph.R) + place);
                    return;
                }
            }
        });
        if (firstBad < long.MaxValue)
        {
            long offset = section.Offset + (firstBad * graph.IdBytes);
            uint id = Id(graph, (uint)(firstBad / graph.R), (int)(firstBad % graph.R));
            throw new BadFileException(
                path, offset, $"neighbour {id} of vertex {firstBad / graph.R}", $"below {graph.Count}, and nothing after the first {graph.None}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _scratch.Dispose();

    private static int FirstBadPlace(Graph graph, uint vertex)
    {
        bool ended = false;
        for (int i = 0; i < graph.R; i++)
        {
            uint id = Id(graph, vertex, i);
            if (id == graph.None)
            {
                ended = true;
            }
            else if (ended || id >= graph.Count)
            {
                return i;
            }
        }

        return -1;
    }

    private static uint Id(Graph graph, uint vertex, int place)
    {
        byte* at = graph.Row(vertex) + ((long)place * graph.IdBytes);
        return graph.IdBytes == 3 ? (uint)(at[0] | (at[1] << 8) | (at[2] << 16)) : *(uint*)at;
    }

    private static void InterlockedMin(ref long target, long value)
    {
        long seen = Interlocked.Read(ref target);
        while (value < seen)
        {
            long before = Interlocked.CompareExchange(ref target, value, seen);
            if (before == seen)
            {
                return;
            }

            seen = before;
        }
    }

    private void Consume(Section section, byte* target)
    {
        var meter = new Meter(work, $"reading {section.Kind.ToString().ToLowerInvariant()}", section.Length);
        uint crc = 0;
        for (long done = 0; done < section.Length;)
        {
            int length = (int)Math.Min(ChunkBytes, section.Length - done);
            var chunk = new Span<byte>(target == null ? _scratch.Pointer : target + done, length);
            ReadAll(section.Offset + done, chunk);
            crc = Crc32C.Compute(chunk, crc); // while the chunk is in the cache
            done += length;
            meter.Advance(length);
        }

        uint expected = header.Crcs[Array.IndexOf(header.Sections, section)];
        if (crc != expected)
        {
            throw new BadFileException(
                path, section.Offset, $"{section.Kind} of {section.Length} bytes with checksum {crc:x8}", $"{expected:x8}");
        }
    }

    private void ReadAll(long offset, Span<byte> target)
    {
        int got = file.Read(offset, target);
        if (got < target.Length)
        {
            throw new BadFileException(path, offset + got, "the end of the file", $"{target.Length - got} bytes more");
        }
    }
}
