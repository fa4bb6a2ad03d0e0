using System.Runtime.CompilerServices;
using Signpost.Engine.Base;

namespace Signpost.Engine.Kernels;

/// <summary>
/// All rows of x against all rows of y, tile by tile. Each result is one sum in the order of the components, whatever the position
/// of its rows: swapping x and y transposes the results bit by bit.
/// </summary>
/// <remarks>
/// A block of x rows is widened once and reused for every panel of y; it may be larger than the second-level cache, because a
/// tile reads two bytes of it per cycle at most, but not larger than the last.
/// </remarks>
internal readonly unsafe struct RowsByRows : ILanesUser<bool>
{
    private const long BlockBytes = 4 << 20;
    private const int RowAlignment = 64;
    private const int UnitsTogether = 128;

    [ThreadStatic]
    private static AlignedBuffer? _scratch;

    public required byte* X { get; init; }

    public required long XStride { get; init; }

    public required int XCount { get; init; }

    public required byte* Y { get; init; }

    public required long YStride { get; init; }

    public required int YCount { get; init; }

    public required int Dim { get; init; }

    /// <summary>Sums of squared differences rather than of products; float32 and float16 only.</summary>
    public required bool Differences { get; init; }

    public required TileFinish Finish { get; init; }

    /// <summary>[XCount, YCount], <see cref="RowStride"/> floats from row to row.</summary>
    public required float* Results { get; init; }

    public required long RowStride { get; init; }

    /// <inheritdoc/>
    public bool Use<TElement, TLanes, V>()
        where TElement : struct, IElement<V>
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        if (Differences)
        {
            Run<SquaredL2, TElement, TLanes, V>();
        }
        else
        {
            Run<InnerProduct, TElement, TLanes, V>();
        }

        return true;
    }

    private void Run<TTerm, TElement, TLanes, V>()
        where TTerm : struct, ITerm
        where TElement : struct, IElement<V>
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        int perUnit = TElement.Count / TLanes.Units;
        int units = (Dim + perUnit - 1) / perUnit;
        nint rowBytes = (nint)RoundUp(units * 4L, RowAlignment);
        int columns = Tile.Columns<TLanes, V>();
        int blockRows = (int)RoundUp(Math.Clamp(BlockBytes / Math.Max(rowBytes, 1), 1, Math.Max(XCount, 1)), Tile.Rows);

        long factorBytes = RoundUp((blockRows + Tile.Stride) * 4L, RowAlignment);
        byte* xRows = Scratch((blockRows + 2L * columns) * rowBytes + (long)blockRows * Tile.RowBytes + factorBytes);
        byte* yRows = xRows + blockRows * rowBytes;
        byte* panel = yRows + columns * rowBytes;
        byte* sums = panel + columns * rowBytes;
        byte* yFactors = sums + blockRows * Tile.RowBytes;
        byte* xFactors = yFactors + Tile.Stride * 4;

        for (int xFrom = 0; xFrom < XCount; xFrom += blockRows)
        {
            int xRowCount = Math.Min(blockRows, XCount - xFrom);
            int padded = (int)RoundUp(xRowCount, Tile.Rows);
            Widen<TElement, TLanes, V>(X + xFrom * XStride, XStride, xRowCount, padded, xRows, rowBytes, xFactors);
            for (int yFrom = 0; yFrom < YCount; yFrom += columns)
            {
                int yRowCount = Math.Min(columns, YCount - yFrom);
                Widen<TElement, TLanes, V>(Y + yFrom * YStride, YStride, yRowCount, columns, yRows, rowBytes, yFactors);
                Tile.Interleave(yRows, rowBytes, columns, panel);
                Sum<TTerm, TLanes, V>(xRows, rowBytes, padded, panel, units, sums);
                float* results = Results + xFrom * RowStride + yFrom;
                for (int i = 0; i < xRowCount; i++)
                {
                    bool integers = typeof(TLanes) == typeof(IntegerLanes);
                    TileFinishing.Row(
                        Finish, integers, sums + i * Tile.RowBytes, xFactors + i * 4, yFactors, yRowCount, results + i * RowStride);
                }
            }
        }
    }

    /// <summary>Sums of all x rows against one panel, so many units at a time that their part of the panel stays in the first-level cache.</summary>
    private static void Sum<TTerm, TLanes, V>(byte* xRows, nint rowBytes, int rows, byte* panel, int units, byte* sums)
        where TTerm : struct, ITerm
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        int from = 0;
        do
        {
            int count = Math.Min(UnitsTogether, units - from);
            byte* part = panel + from * Tile.Columns<TLanes, V>() * 4;
            for (int row = 0; row < rows; row += Tile.Rows)
            {
                byte* x = xRows + row * rowBytes + from * 4;
                Tile.Sum<TTerm, TLanes, V>(x, rowBytes, part, count, from == 0, sums + row * Tile.RowBytes);
            }

            from += count;
        }
        while (from < units);
    }

    /// <summary>Widens <paramref name="count"/> vectors, adds rows of zeros up to <paramref name="padded"/>, and makes their factors.</summary>
    private void Widen<TElement, TLanes, V>(
        byte* vectors, long stride, int count, int padded, byte* rows, nint rowBytes, byte* factors)
        where TElement : struct, IElement<V>
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        for (int i = 0; i < count; i++)
        {
            byte* row = rows + i * rowBytes;
            byte* factor = factors + i * 4;
            Tile.Widen<TElement, TLanes, V>(vectors + i * stride, Dim, row, rowBytes);
            if (Finish is TileFinish.SquaredL2 or TileFinish.Cosine)
            {
                Tile.Square<TLanes, V>(row, rowBytes, factor);
            }

            if (Finish == TileFinish.Cosine)
            {
                *(float*)factor = Cosine.InverseLength(typeof(TLanes) == typeof(IntegerLanes) ? *(int*)factor : *(float*)factor);
            }
        }

        for (int i = count; i < padded; i++)
        {
            Unsafe.InitBlockUnaligned(rows + i * rowBytes, 0, (uint)rowBytes);
        }
    }

    private static long RoundUp(long value, int multiple) => (value + multiple - 1) / multiple * multiple;

    /// <summary>Memory of this thread, kept for its next call.</summary>
    private static byte* Scratch(long bytes)
    {
        if (_scratch is null || _scratch.Length < bytes)
        {
            _scratch?.Dispose();
            _scratch = new AlignedBuffer(bytes);
        }

        return _scratch.Pointer;
    }
}
