using System.Text;
using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Storage;

/// <summary>
/// An immutable file with the vectors of one shard and their graph, open for search. Graph and ids are in native memory; vectors are
/// mapped or loaded. Codes are files of their own (<see cref="CodesFile"/>), so that a new quantizer changes nothing here. The file format is the declarations of FileHeader.cs and docs/formats.md.
/// </summary>
/// <remarks>Reading is thread-safe. Nothing may read it after <see cref="Dispose"/>: whoever shares a segment counts its readers.</remarks>
public sealed unsafe class Segment : IDisposable
{
    private IDisposable[]? _parts;

    private Segment(string path, SegmentHeader header, Residency residency, in Parts parts)
    {
        SegmentInfo info = header.Info;
        Path = path;
        Info = info;
        Crc = header.Crc;
        Memory = SegmentMemory.Of(info, residency);
        Graph = parts.Graph!;
        Ids = (ulong*)parts.Ids!.Pointer;
        Vectors = parts.Vectors!;
        Metadata = parts.Metadata;
        _parts = [.. parts.Owned];
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What the segment is.</summary>
    public SegmentInfo Info { get; }

    /// <summary>CRC-32C of its header, which holds those of all sections: a codes file says by it which segment it belongs to.</summary>
    public uint Crc { get; }

    /// <summary>Memory that it takes.</summary>
    public SegmentMemory Memory { get; }

    /// <summary>The proximity graph.</summary>
    public Graph Graph { get; }

    /// <summary>The vectors; row i belongs to vertex i.</summary>
    public VectorBlock Vectors { get; }

    /// <summary>Ids by vertex. Length: Count.</summary>
    public ulong* Ids { get; }

    /// <summary>The JSON text given at the build, or null.</summary>
    public string? Metadata { get; }

    /// <summary>Memory that opening <paramref name="path"/> would take, from its header alone.</summary>
    /// <exception cref="BadFileException">The header is cut, flipped or foreign.</exception>
    public static Outcome<SegmentMemory> Plan(IDisk disk, string path, Residency vectors = Residency.Mapped)
    {
        using IFileReader? file = TryOpen(disk, path);
        return file is null ? NotFound(path) : SegmentMemory.Of(SegmentHeader.Read(file, path).Info, vectors);
    }

    /// <summary>The ids of a segment by vertex, and nothing else of it; the caller owns them.</summary>
    /// <exception cref="BadFileException">The header or the ids are cut, flipped or foreign, or there is no file.</exception>
    internal static AlignedBuffer LoadIds(IDisk disk, string path, Work work)
    {
        using IFileReader file = TryOpen(disk, path) ?? throw new BadFileException(path, 0, "no file", "the segment that the manifest names");
        SegmentHeader header = SegmentHeader.Read(file, path);
        using var reader = new SegmentReader(file, path, header, work);
        return reader.Load(reader.Find(SectionKind.Ids)!.Value);
    }

    /// <summary>Reads a file once and compares its checksums; nothing is kept.</summary>
    /// <exception cref="BadFileException">Cut, flipped or foreign.</exception>
    internal static void Verify(IDisk disk, string path, Work work)
    {
        using IFileReader file = disk.OpenRead(path);
        SegmentHeader header = SegmentHeader.Read(file, path);
        using var reader = new SegmentReader(file, path, header, work);
        reader.VerifyGaps();
        Array.ForEach(header.Sections, reader.Verify);
    }

    /// <summary>Opens and verifies a segment. Refused: a missing file; one that needs more than the memory limit.</summary>
    /// <returns>A whole valid segment; after an exception nothing of it is left open.</returns>
    /// <exception cref="BadFileException">Cut, flipped or foreign.</exception>
    public static Outcome<Segment> Open(IDisk disk, string path, SegmentLoad load, Work work)
    {
        using IFileReader? file = TryOpen(disk, path);
        if (file is null)
        {
            return NotFound(path);
        }

        SegmentHeader header = SegmentHeader.Read(file, path);
        SegmentMemory need = SegmentMemory.Of(header.Info, load.Vectors);
        if (need.Resident > load.MemoryLimit)
        {
            return new Problem(
                ProblemCode.NotEnoughMemory, $"segment {path}", $"need {need.Resident} bytes, have {load.MemoryLimit}", "a segment that fits",
                need.VectorsLoaded > 0 ? "Map the vectors instead of loading them, or give it more memory." : "Give it more memory, or split the shard.");
        }

        var parts = new Parts();
        try
        {
            using var reader = new SegmentReader(file, path, header, work);
            Fill(ref parts, reader, file, header.Info, load);
            return new Segment(path, header, load.Vectors, parts);
        }
        catch
        {
            parts.Owned.ForEach(part => part.Dispose());
            throw;
        }
    }

    /// <summary>The segment for a search.</summary>
    /// <param name="codes">Codes by vertex. Shape: [Count, CodeBytes of the quantizer]; null: none.</param>
    /// <param name="quantizer">The one that made the codes; null: none.</param>
    public SegmentView View(byte* codes = null, IQuantizer? quantizer = null)
    {
        Check.That(_parts is not null);
        Check.That(quantizer is null || (quantizer.Dim == Info.Dim && quantizer.Metric == Info.Metric));
        return new SegmentView
        {
            Vectors = Vectors,
            Metric = Info.Metric,
            Graph = Graph,
            Codes = quantizer is null ? null : codes,
            Quantizer = quantizer,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDisposable part in Interlocked.Exchange(ref _parts, null) ?? [])
        {
            part.Dispose();
        }
    }

    private static void Fill(ref Parts parts, SegmentReader reader, IFileReader file, SegmentInfo info, SegmentLoad load)
    {
        reader.VerifyGaps();
        if (reader.Find(SectionKind.Metadata) is { } text)
        {
            using AlignedBuffer bytes = reader.Load(text);
            parts.Metadata = Encoding.UTF8.GetString(bytes.Pointer, (int)text.Length);
        }

        Section rows = reader.Find(SectionKind.Graph)!.Value;
        AlignedBuffer graph = parts.Own(reader.Load(rows));
        parts.Graph = new Graph(graph.Pointer, (uint)info.Count, info.R, info.Entry, graph); // the owner, so that whoever holds the graph holds its memory
        reader.VerifyNeighbours(parts.Graph, rows);
        parts.Ids = parts.Own(reader.Load(reader.Find(SectionKind.Ids)!.Value));
        (nint first, IDisposable owner) = LoadVectors(ref parts, reader, file, load);
        parts.Vectors = new VectorBlock((byte*)first, info.Count, info.Dim, info.Type, (long)info.Dim * info.Type.Bytes(), owner);
    }

    private static (nint First, IDisposable Owner) LoadVectors(ref Parts parts, SegmentReader reader, IFileReader file, SegmentLoad load)
    {
        Section section = reader.Find(SectionKind.Vectors)!.Value;
        if (load.Vectors == Residency.Loaded)
        {
            AlignedBuffer loaded = parts.Own(reader.Load(section));
            return ((nint)loaded.Pointer, loaded);
        }

        if (load.VerifyVectors)
        {
            reader.Verify(section);
        }

        MappedBytes mapped = parts.Own(file.Map(section.Offset, section.Length));
        return ((nint)mapped.Pointer, mapped);
    }

    private static IFileReader? TryOpen(IDisk disk, string path)
    {
        try
        {
            return disk.OpenRead(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static Problem NotFound(string path) =>
        new(ProblemCode.NotFound, "segment", path, "an existing file", "Check the path, or build the collection again.");

    /// <summary>What has been loaded so far; the segment takes all of it or none stays.</summary>
    private struct Parts()
    {
        public Graph? Graph;
        public AlignedBuffer? Ids;
        public VectorBlock? Vectors;
        public string? Metadata;

        public List<IDisposable> Owned { get; } = [];

        public readonly T Own<T>(T part)
            where T : IDisposable
        {
            Owned.Add(part);
            return part;
        }
    }
}
