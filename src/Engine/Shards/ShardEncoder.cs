using System.Diagnostics;
using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Shards;

/// <summary>
/// Turns the vectors of a shard into codes: the only place where that is done, for a build, a training or a comparison. It sees the graph as
/// well as the vectors, so that a code may be chosen with an eye on the vertex's neighbours.
/// </summary>
public static unsafe class ShardEncoder
{
    /// <summary>Part of the names of codes files: to be raised when the same vectors, graph and quantizer give other codes.</summary>
    internal const int Version = 2;

    private const int ChunkRows = 1024;
    private const int BlockBytes = 4 << 20;

    /// <summary>Encodes every vertex, in order. Memory: one block of codes, whatever the size of the shard.</summary>
    /// <param name="vectors">Row i belongs to vertex i.</param>
    /// <param name="graph">Their graph.</param>
    /// <param name="coder">Its codes, the same on any number of threads.</param>
    /// <param name="sink">Takes the codes block by block.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    public static void Encode(VectorBlock vectors, Graph graph, ITableCoder coder, CodesSink sink, Work work) =>
        Encode(vectors, graph, graph.Neighbours, coder, sink, work);

    /// <summary>
    /// As the other; <paramref name="neighbours"/> are those of the graph that codes may be fitted to, and
    /// <paramref name="blockBytes"/> of codes are made at a time, or a chunk per thread where that is more.
    /// </summary>
    internal static void Encode(
        VectorBlock vectors, Graph graph, NeighboursOf neighbours, ITableCoder coder, CodesSink sink, Work work, int blockBytes = BlockBytes)
    {
        Check.That(graph.Count == vectors.Count && coder.Dim == vectors.Dim);
        int codeBytes = coder.CodeBytes;
        long blockRows = Math.Min(vectors.Count, Math.Max(blockBytes / codeBytes, work.Threads * ChunkRows));
        using var block = new AlignedBuffer(blockRows * codeBytes);
        Work quiet = work.Silent();
        long start = Stopwatch.GetTimestamp();
        for (long first = 0; first < vectors.Count; first += blockRows)
        {
            long rows = Math.Min(blockRows, vectors.Count - first);
            quiet.For("encoding", rows, ChunkRows, (from, to, _) =>
            {
                byte* codes = block.Pointer + (from * codeBytes);
                coder.Encode(vectors, first + from, (int)(to - from), codes);
                (coder as RoutingProductQuantizer)?.Refine(vectors, first + from, (int)(to - from), neighbours, graph.R, codes);
            });
            sink(block.Pointer, rows * codeBytes);
            work.Report(new PhaseProgress("encoding", first + rows, vectors.Count, Stopwatch.GetElapsedTime(start)));
        }

        GC.KeepAlive(vectors);
        GC.KeepAlive(graph);
    }
}
