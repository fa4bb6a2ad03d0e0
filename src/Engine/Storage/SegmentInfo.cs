using Signpost.Engine.Graphs;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Storage;

/// <summary>The quantizer that codes were made with; codes of different values are not comparable.</summary>
/// <param name="Kind">How it was learned.</param>
/// <param name="M">Subspaces, 1 .. dim.</param>
/// <param name="K">Codewords per subspace: 16 or 256.</param>
/// <param name="Version">Number of the training.</param>
public sealed record CodesInfo(QuantizerKind Kind, int M, int K, uint Version)
{
    /// <summary>Bytes of a code.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public int CodeBytes => K == 16 ? (M + 1) / 2 : M;

    /// <summary>Of a quantizer at hand.</summary>
    public static CodesInfo Of(IQuantizer quantizer) => new(quantizer.Kind, quantizer.M, quantizer.K, quantizer.Version);
}

/// <summary>How the graph was built.</summary>
/// <param name="Seed">Seed of every random choice.</param>
/// <param name="L">Candidate pool of the construction searches.</param>
/// <param name="C">Most candidates that are pruned per vertex.</param>
/// <param name="LibraryVersion">Version of Signpost that built it: at most 32 ASCII characters.</param>
public sealed record BuildInfo(ulong Seed, int L, int C, string LibraryVersion)
{
    /// <summary>The version that runs.</summary>
    public static string RunningVersion { get; } = typeof(BuildInfo).Assembly.GetName().Version!.ToString(3);
}

/// <summary>What a segment is, without its content.</summary>
/// <param name="Count">Vectors, 0 .. 2^32 - 1.</param>
/// <param name="Dim">Components of a vector, 1 .. 65,536.</param>
/// <param name="Type">Type of a component.</param>
/// <param name="Metric">Metric that the graph was built for.</param>
/// <param name="R">Most out-neighbours of a vertex, 1 .. 65,536.</param>
/// <param name="Entry">Vertex where searches start, below <paramref name="Count"/>; 0 in an empty segment.</param>
/// <param name="SlotFrom">First slot of the shard.</param>
/// <param name="SlotTo">The slot after the last, at most <see cref="SlotCount"/>.</param>
/// <param name="Build">How the graph was built.</param>
public sealed record SegmentInfo(
    long Count, int Dim, ElementType Type, Metric Metric, int R, uint Entry, int SlotFrom, int SlotTo, BuildInfo Build)
{
    /// <summary>Slots of a collection.</summary>
    public const int SlotCount = 16_384;

    internal long GraphBytes => Graph.BytesFor((uint)Count, R);

    internal long IdsBytes => Count * sizeof(ulong);

    internal long VectorsBytes => Count * Dim * Type.Bytes();
}

/// <summary>Where the vectors of an open segment are.</summary>
public enum Residency
{
    /// <summary>In the file, read on touch and kept by the system as long as it has memory to spare.</summary>
    Mapped,

    /// <summary>In native memory, from opening to closing.</summary>
    Loaded,
}

/// <summary>How to open a segment.</summary>
public sealed record SegmentLoad
{
    /// <summary>Where the vectors shall be; graph and ids are always loaded. Mapped: full vectors are touched only to re-rank.</summary>
    public Residency Vectors { get; init; } = Residency.Mapped;

    /// <summary>
    /// Whether mapped vectors are read once and compared with their checksum. On, because a wrong vector is a wrong answer for ever;
    /// to be switched off where the file was verified before and reading all of it costs too long.
    /// </summary>
    public bool VerifyVectors { get; init; } = true;

    /// <summary>Bytes that the segment may keep resident; one that needs more is refused before anything is loaded.</summary>
    public long MemoryLimit { get; init; } = long.MaxValue;
}

/// <summary>Bytes of memory that a segment and its codes take, computed before anything is loaded.</summary>
/// <param name="Count">Vectors.</param>
/// <param name="Graph">Of the graph, resident.</param>
/// <param name="Codes">Of the codes that are open beside the segment, resident.</param>
/// <param name="Ids">Of the ids, resident.</param>
/// <param name="VectorsLoaded">Of the vectors where they are loaded, else 0.</param>
/// <param name="VectorsMapped">Of the vectors where they are mapped, else 0.</param>
public readonly record struct SegmentMemory(long Count, long Graph, long Codes, long Ids, long VectorsLoaded, long VectorsMapped)
{
    /// <summary>Bytes that are in memory for as long as the segment is open.</summary>
    public long Resident => Graph + Codes + Ids + VectorsLoaded;

    /// <summary>Of both together.</summary>
    public static SegmentMemory operator +(SegmentMemory a, SegmentMemory b) => new(
        a.Count + b.Count, a.Graph + b.Graph, a.Codes + b.Codes, a.Ids + b.Ids, a.VectorsLoaded + b.VectorsLoaded, a.VectorsMapped + b.VectorsMapped);

    /// <summary>Resident bytes per vector; 0 for an empty segment.</summary>
    public double ResidentPerVector => Count == 0 ? 0 : (double)Resident / Count;

    internal static SegmentMemory Of(SegmentInfo info, Residency vectors)
    {
        long loaded = vectors == Residency.Loaded ? info.VectorsBytes : 0;
        return new SegmentMemory(info.Count, info.GraphBytes, 0, info.IdsBytes, loaded, info.VectorsBytes - loaded);
    }
}
