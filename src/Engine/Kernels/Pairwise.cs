using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Kernels;

/// <summary>
/// Distances of many vectors to many, many times faster than one by one: the engine of exact search, of the leaves of a graph
/// builder and of clustering.
/// </summary>
public static unsafe class Pairwise
{
    /// <summary>
    /// <c>distances[i * rowStride + j]</c> becomes the distance of row i of <paramref name="x"/> to row j of <paramref name="y"/>.
    /// </summary>
    /// <param name="metric">Smaller is closer in the result.</param>
    /// <param name="type">Component type of both blocks.</param>
    /// <param name="x">Shape [xCount, dim], <paramref name="xStride"/> bytes from row to row, any alignment.</param>
    /// <param name="xStride">Bytes.</param>
    /// <param name="xCount">Rows, 0 or more.</param>
    /// <param name="y">Shape [yCount, dim], <paramref name="yStride"/> bytes from row to row; may be <paramref name="x"/>.</param>
    /// <param name="yStride">Bytes.</param>
    /// <param name="yCount">Rows, 0 or more.</param>
    /// <param name="dim">Components of a row, 0 or more.</param>
    /// <param name="distances">Shape [xCount, yCount], <paramref name="rowStride"/> floats from row to row.</param>
    /// <param name="rowStride">Floats, <paramref name="yCount"/> or more.</param>
    /// <remarks>
    /// Squared distances of integers are those of <see cref="PairDistances"/> exactly; other results differ from those by
    /// rounding only. The distance of a to b is that of b to a, bit by bit. Works in memory of the calling thread, about 4 MB.
    /// </remarks>
    public static void Distances(
        Metric metric, ElementType type, byte* x, long xStride, int xCount, byte* y, long yStride, int yCount, int dim, float* distances,
        long rowStride) => Distances<Native>(metric, type, x, xStride, xCount, y, yStride, yCount, dim, distances, rowStride);

    internal static void Distances<TWidth>(
        Metric metric, ElementType type, byte* x, long xStride, int xCount, byte* y, long yStride, int yCount, int dim, float* distances,
        long rowStride)
        where TWidth : struct, ISimdWidth
    {
        Check.That(xCount >= 0 && yCount >= 0 && dim >= 0 && rowStride >= yCount);
        bool integers = type is ElementType.UInt8 or ElementType.Int8;
        if (integers && dim > OneToOne.SafeDim)
        {
            OneByOne(metric, type, x, xStride, xCount, y, yStride, yCount, dim, distances, rowStride);
            return;
        }

        var work = new RowsByRows
        {
            X = x,
            XStride = xStride,
            XCount = xCount,
            Y = y,
            YStride = yStride,
            YCount = yCount,
            Dim = dim,
            Differences = metric == Metric.L2 && !integers, // norms would cancel in float32, and the subtraction is free
            Finish = metric switch
            {
                Metric.L2 => integers ? TileFinish.SquaredL2 : TileFinish.None,
                Metric.InnerProduct => TileFinish.Negate,
                Metric.Cosine => TileFinish.Cosine,
                _ => throw new ArgumentOutOfRangeException(nameof(metric), metric, "unknown metric"),
            },
            Results = distances,
            RowStride = rowStride,
        };
        _ = type switch
        {
            ElementType.Float32 => Float32.Select<RowsByRows, TWidth, bool>(work),
            ElementType.Float16 => Float16.Select<RowsByRows, TWidth, bool>(work),
            ElementType.UInt8 => UInt8.Select<RowsByRows, TWidth, bool>(work),
            ElementType.Int8 => Int8.Select<RowsByRows, TWidth, bool>(work),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "unknown element type"),
        };
    }

    /// <summary>For integer vectors so long that int32 sums of a tile could overflow.</summary>
    private static void OneByOne(
        Metric metric, ElementType type, byte* x, long xStride, int xCount, byte* y, long yStride, int yCount, int dim, float* distances,
        long rowStride)
    {
        for (int i = 0; i < xCount; i++)
        {
            for (int j = 0; j < yCount; j++)
            {
                distances[i * rowStride + j] = PairDistances.Between(metric, type, x + i * xStride, y + j * yStride, dim);
            }
        }
    }
}
