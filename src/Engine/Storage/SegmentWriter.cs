using System.Text;
using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Storage;

/// <summary>What <see cref="SegmentWriter"/> writes. The memory behind it is the caller's and must stay until the write returns.</summary>
public sealed class SegmentContent
{
    /// <summary>Vectors to choose rows from.</summary>
    public required VectorBlock Vectors { get; init; }

    /// <summary>Row of <see cref="Vectors"/> for each vertex; empty: vertex i is row i.</summary>
    public ReadOnlyMemory<long> Order { get; init; }

    /// <summary>Id of each vertex. Length: Count.</summary>
    public required ReadOnlyMemory<ulong> Ids { get; init; }

    /// <summary>Metric that the graph was built for.</summary>
    public required Metric Metric { get; init; }

    /// <summary>The graph; its vertex count is the count of the segment.</summary>
    public required Graph Graph { get; init; }

    /// <summary>First slot of the shard.</summary>
    public required int SlotFrom { get; init; }

    /// <summary>The slot after the last.</summary>
    public required int SlotTo { get; init; }

    /// <summary>How the graph was built.</summary>
    public required BuildInfo Build { get; init; }

    /// <summary>JSON text for people and tools, at most 16 MB; the engine does not read it. Null or empty: none.</summary>
    public string? Metadata { get; init; }

    internal SegmentInfo Info() => new(
        Graph.Count, Vectors.Dim, Vectors.Type, Metric, Graph.R, Graph.Entry, SlotFrom, SlotTo, Build);
}

/// <summary>
/// Writes a segment: sections are streamed with their checksums, the header comes last, then the file is synced and renamed. Equal
/// content gives equal bytes.
/// </summary>
public static unsafe class SegmentWriter
{
    /// <summary>Publishes <paramref name="content"/> as <paramref name="path"/>; on return it survives a power loss.</summary>
    public static SegmentInfo Write(IDisk disk, string path, SegmentContent content, Work work)
    {
        SegmentInfo info = content.Info();
        byte[] metadata = Encoding.UTF8.GetBytes(content.Metadata ?? "");
        CheckContent(content, info);
        var header = new SegmentHeader(info, metadata.Length);
        AtomicFile.Write(disk, path, header.FileBytes, file =>
        {
            var meter = new Meter(work, "writing the segment", header.Sections.Sum(s => s.Length));
            using var stream = new SectionStream(file, header.HeaderBytes, meter);
            for (int i = 0; i < header.Sections.Length; i++)
            {
                stream.Begin(header.Sections[i].Offset);
                Append(stream, header.Sections[i], content, metadata);
                header.Crcs[i] = stream.End();
            }

            file.Write(0, header.Format());
        });
        return info;
    }

    private static void CheckContent(SegmentContent content, SegmentInfo info)
    {
        Check.That(content.Ids.Length == info.Count);
        Check.That((content.Order.IsEmpty ? content.Vectors.Count : content.Order.Length) == info.Count);
        (int Offset, string Got, string Expected)? fault = SegmentInfoCodec.FirstFault(SegmentInfoCodec.Encode(info));
        Check.That(fault is null, fault is null ? "" : $"segment info: {fault.Value.Got}, expected {fault.Value.Expected}");
    }

    private static void Append(SectionStream stream, Section section, SegmentContent content, byte[] metadata)
    {
        switch (section.Kind)
        {
            case SectionKind.Graph:
                stream.Append(content.Graph.Rows, section.Length);
                break;
            case SectionKind.Ids:
                fixed (ulong* ids = content.Ids.Span)
                {
                    stream.Append((byte*)ids, section.Length);
                }

                break;
            case SectionKind.Vectors:
                AppendVectors(stream, content.Vectors, content.Order.Span);
                break;
            case SectionKind.Metadata:
                fixed (byte* text = metadata)
                {
                    stream.Append(text, section.Length);
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(section), section.Kind, "unknown section");
        }
    }

    private static void AppendVectors(SectionStream stream, VectorBlock vectors, ReadOnlySpan<long> order)
    {
        if (order.IsEmpty && vectors.StrideBytes == vectors.RowBytes)
        {
            stream.Append(vectors.First, vectors.Count * vectors.RowBytes);
            return;
        }

        long count = order.IsEmpty ? vectors.Count : order.Length;
        for (long vertex = 0; vertex < count; vertex++)
        {
            long row = order.IsEmpty ? vertex : order[(int)vertex];
            Check.That((ulong)row < (ulong)vectors.Count);
            stream.Append(vectors.Row(row), vectors.RowBytes);
        }
    }
}
