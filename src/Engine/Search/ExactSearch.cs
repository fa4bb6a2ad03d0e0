using System.Numerics;
using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Search;

/// <summary>Nearest neighbours by looking at every vector: the ground truth of recall, and the search of small sets.</summary>
public static unsafe class ExactSearch
{
    /// <summary>Vectors per call of <see cref="Pairwise"/>; the distances of a call, 0.5 MB, stay in the second-level cache.</summary>
    private const int VectorRows = 256;

    private const int QueryRows = 480;

    /// <summary>Items of work per thread that are enough to keep all threads busy to the end.</summary>
    private const int ItemsPerThread = 4;

    private static readonly Neighbour Nobody = new(uint.MaxValue, float.PositiveInfinity);

    /// <summary>Finds the <paramref name="k"/> nearest vectors of every query.</summary>
    /// <param name="vectors">Below 2^32 - 1 vectors; the id of a vector is its row.</param>
    /// <param name="queries">Same dimension and element type as <paramref name="vectors"/>.</param>
    /// <param name="metric">What near means.</param>
    /// <param name="k">1 .. number of vectors.</param>
    /// <param name="work">Threads, progress in queries, cancellation.</param>
    /// <param name="results">
    /// Shape [queries, k], each row ascending by (distance, id). The numbers do not depend on the number of threads. A vector whose
    /// distance is NaN is nobody's neighbour; a place without a neighbour holds (2^32 - 1, infinity).
    /// </param>
    /// <exception cref="ProblemException">An argument does not fit the others.</exception>
    public static void TopK(VectorBlock vectors, VectorBlock queries, Metric metric, int k, Work work, Span<Neighbour> results)
    {
        if (Verify(vectors, queries, k) is { } problem)
        {
            throw new ProblemException(problem);
        }

        Check.That(results.Length >= queries.Count * k);
        long queryBlocks = (queries.Count + QueryRows - 1) / QueryRows;
        long vectorBlocks = (vectors.Count + VectorRows - 1) / VectorRows;
        if (queryBlocks == 0)
        {
            return;
        }

        // Few queries: the vectors are split too, each part keeps its own best, and these are merged.
        long parts = Math.Clamp((long)ItemsPerThread * work.Threads / queryBlocks, 1, work.Threads == 1 ? 1 : vectorBlocks);
        long rowsPerPart = (vectorBlocks + parts - 1) / parts * VectorRows;
        using var best = new AlignedBuffer(queries.Count * parts * k * sizeof(Neighbour));
        var heaps = (Neighbour*)best.Pointer; // [queries, parts, k]
        work.For("exact search", queryBlocks * parts, 1, (from, to, _) =>
        {
            using var distances = new AlignedBuffer(4L * QueryRows * VectorRows);
            for (long item = from; item < to; item++)
            {
                long part = item % parts;
                long firstQuery = item / parts * QueryRows;
                VectorBlock block = queries.Slice(firstQuery, Math.Min(QueryRows, queries.Count - firstQuery));
                long end = Math.Min(vectors.Count, (part + 1) * rowsPerPart);
                Neighbour* heap = heaps + (firstQuery * parts + part) * k;
                Scan(vectors, part * rowsPerPart, end, block, metric, k, heap, parts * k, (float*)distances.Pointer, work.Cancel);
            }
        });
        Merge(heaps, (int)queries.Count, (int)parts * k, k, results);
    }

    private static Problem? Verify(VectorBlock vectors, VectorBlock queries, int k)
    {
        if (queries.Type != vectors.Type)
        {
            return new Problem(
                ProblemCode.InvalidArgument, "element type of the queries", $"{queries.Type}", $"{vectors.Type}", "Convert the queries.");
        }

        if (queries.Dim != vectors.Dim)
        {
            return new Problem(
                ProblemCode.WrongDimension, "dimension of the queries", $"{queries.Dim}", $"{vectors.Dim}", "Use queries of the same set.");
        }

        if (k < 1 || k > vectors.Count || vectors.Count >= uint.MaxValue)
        {
            return new Problem(
                ProblemCode.InvalidArgument, "k", $"{k} of {vectors.Count} vectors", "1 .. number of vectors, which is below 2^32 - 1",
                "Ask for fewer neighbours, or search several blocks.");
        }

        return null;
    }

    /// <summary>The best of vectors [from, to) for each query of a block, as heaps <paramref name="heapStride"/> apart.</summary>
    private static void Scan(
        VectorBlock vectors, long from, long to, VectorBlock queries, Metric metric, int k, Neighbour* heaps, long heapStride,
        float* distances, CancellationToken cancel)
    {
        for (int q = 0; q < queries.Count; q++)
        {
            new Span<Neighbour>(heaps + q * heapStride, k).Fill(Nobody);
        }

        for (; from < to; from += VectorRows)
        {
            cancel.ThrowIfCancellationRequested();
            int count = (int)Math.Min(VectorRows, to - from);
            Pairwise.Distances(
                metric, vectors.Type, queries.First, queries.StrideBytes, (int)queries.Count, vectors.Row(from), vectors.StrideBytes, count,
                vectors.Dim, distances, VectorRows);
            for (int q = 0; q < queries.Count; q++)
            {
                Offer(heaps + q * heapStride, k, distances + (long)q * VectorRows, count, (uint)from);
            }
        }
    }

    /// <summary>Offers vectors <paramref name="firstId"/> and following to a heap whose top is the worst of the best.</summary>
    private static void Offer(Neighbour* heap, int k, float* distances, int count, uint firstId)
    {
        int lanes = Vector<float>.Count;
        for (int j = 0; j < count; j += lanes)
        {
            if (j + lanes <= count && !Vector.LessThanOrEqualAny(Vector.Load(distances + j), new Vector<float>(heap[0].Distance)))
            {
                continue; // nearly always
            }

            for (int i = j; i < Math.Min(j + lanes, count); i++)
            {
                var candidate = new Neighbour(firstId + (uint)i, distances[i]);
                if (candidate.Distance <= heap[0].Distance && candidate.CompareTo(heap[0]) < 0)
                {
                    ReplaceTop(heap, k, candidate);
                }
            }
        }
    }

    private static void ReplaceTop(Neighbour* heap, int k, Neighbour value)
    {
        int hole = 0;
        for (int child = 1; child < k; child = 2 * hole + 1)
        {
            if (child + 1 < k && heap[child + 1].CompareTo(heap[child]) > 0)
            {
                child++;
            }

            if (value.CompareTo(heap[child]) >= 0)
            {
                break;
            }

            heap[hole] = heap[child];
            hole = child;
        }

        heap[hole] = value;
    }

    private static void Merge(Neighbour* heaps, int queryCount, int candidates, int k, Span<Neighbour> results)
    {
        for (int q = 0; q < queryCount; q++)
        {
            var row = new Span<Neighbour>(heaps + (long)q * candidates, candidates);
            row.Sort();
            row[..k].CopyTo(results.Slice(q * k, k));
        }
    }
}
