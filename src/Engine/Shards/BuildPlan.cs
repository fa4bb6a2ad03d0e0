using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Graphs;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Shards;

/// <summary>What can be said of a build before it begins.</summary>
public static class BuildPlan
{
    /// <summary>Part of the fingerprint: to be raised when the same input and options build other files.</summary>
    private const int BuilderVersion = 2;

    /// <summary>Vertices are 31 bits in a candidate pool, and rows of a shard are listed in one array.</summary>
    private const long MostVertices = 2_000_000_000;

    /// <summary>Bytes that building a shard of <paramref name="count"/> vectors takes at its peak: within a tenth, and without the input.</summary>
    public static long PeakBytes(VectorBlock vectors, BuildOptions options, long count) => PeakBytes(vectors.RowBytes, options.Graph, count);

    /// <summary>The same, for vectors of <paramref name="rowBytes"/> each.</summary>
    internal static long PeakBytes(long rowBytes, GraphOptions graph, long count)
    {
        long rowAndId = sizeof(long) + sizeof(ulong);
        long neighbours = sizeof(ulong) * graph.KnnK;
        long descent = (sizeof(ulong) * graph.DescentSample) + (sizeof(uint) * Math.Min(graph.KnnK, 2 * graph.DescentSample));
        long pruning = graph.R * (sizeof(ulong) + (long)Graph.IdBytesFor((uint)count)); // reverse edges and the graph that they are added to
        return count * (rowBytes + rowAndId + neighbours + Math.Max(descent, pruning));
    }

    /// <summary>Why the largest shard cannot be built; null when it can.</summary>
    internal static Problem? CheckSize(VectorBlock vectors, BuildOptions options, long largest)
    {
        if (largest > MostVertices)
        {
            return new Problem(ProblemCode.InvalidArgument, "shards", $"{largest} vectors in one", $"at most {MostVertices}", "Build more shards.");
        }

        long need = PeakBytes(vectors, options, largest);
        return need <= options.MemoryLimit
            ? null
            : new Problem(
                ProblemCode.NotEnoughMemory, "build", $"need {need} bytes for {largest} vectors in one shard, have {options.MemoryLimit}",
                "shards that fit", "Build more shards, or give it more memory.");
    }

    /// <summary>Equal for segments of the vectors that <paramref name="sources"/> have in <paramref name="range"/>, built alike.</summary>
    internal static ulong Fingerprint(IEnumerable<string> sources, SlotRange range, GraphOptions graph)
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"{BuilderVersion} {BuildInfo.RunningVersion} {range} {graph} {string.Join(' ', sources)}");
        return BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>Equal for builds that write the same files.</summary>
    /// <param name="vectors">Their shape counts.</param>
    /// <param name="content">Hash of the vectors and ids.</param>
    /// <param name="options">All but the memory limit and whether to overwrite count.</param>
    internal static ulong Fingerprint(VectorBlock vectors, ulong content, BuildOptions options)
    {
        BuildOptions counted = options with { MemoryLimit = 0, Overwrite = false };
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"{BuilderVersion} {BuildInfo.RunningVersion} {vectors.Count} {vectors.Dim} {vectors.Type} {content} {counted}");
        return BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }
}
