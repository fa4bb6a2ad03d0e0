using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Signpost.Engine.Kernels;

/// <summary>
/// Sums of outer products, c += a^T b: the gradient of a matrix from the gradients of what it was multiplied with. Unlike
/// <see cref="MatrixProduct"/> neither side has to be laid out anew, because both are read row by row.
/// </summary>
internal static unsafe class OuterProducts
{
    private const int TileRows = 4;

    // Rows of b of one pass stay in half of a small second-level cache, whatever their length.
    private const int PassFloats = 1 << 15;

    /// <summary>Adds the products of row i of <paramref name="a"/> and row i of <paramref name="b"/>, for every i.</summary>
    /// <param name="a">Shape [rows, aColumns], row-major without gaps.</param>
    /// <param name="aColumns">1 or more.</param>
    /// <param name="b">Shape [rows, bColumns], row-major without gaps.</param>
    /// <param name="bColumns">1 or more.</param>
    /// <param name="rows">0 or more.</param>
    /// <param name="c">Shape [aColumns, bColumns], added to.</param>
    public static void Add(float* a, int aColumns, float* b, int bColumns, int rows, float* c) =>
        Add<Native>(a, aColumns, b, bColumns, rows, c);

    internal static void Add<TWidth>(float* a, int aColumns, float* b, int bColumns, int rows, float* c)
        where TWidth : struct, ISimdWidth
    {
        int pass = Math.Max(16, PassFloats / bColumns);
        for (int from = 0; from < rows; from += pass)
        {
            int count = Math.Min(pass, rows - from);
            float* x = a + (long)from * aColumns;
            float* y = b + (long)from * bColumns;
            int done = 0;
            if (TWidth.Use512)
            {
                done = Columns<FloatLanes, Vector512<float>>(x, aColumns, y, bColumns, count, done, c);
            }

            if (TWidth.Use256)
            {
                done = Columns<FloatLanes, Vector256<float>>(x, aColumns, y, bColumns, count, done, c);
            }

            if (TWidth.Use128)
            {
                done = Columns<FloatLanes, Vector128<float>>(x, aColumns, y, bColumns, count, done, c);
            }

            _ = Columns<FloatLanes, float>(x, aColumns, y, bColumns, count, done, c);
        }
    }

    // Columns of b from `from` on, as many as whole tiles of V hold; returns where they end.
    private static int Columns<TLanes, V>(float* a, int aColumns, float* b, int bColumns, int rows, int from, float* c)
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        int wide = 2 * TLanes.Units;
        for (; from <= bColumns - wide; from += wide)
        {
            for (int i = 0; i < aColumns; i += TileRows)
            {
                Tile<TLanes, V>(a + i, aColumns, Math.Min(TileRows, aColumns - i), b + from, bColumns, rows, c + (long)i * bColumns + from);
            }
        }

        for (; from < bColumns && TLanes.Units == 1; from++)
        {
            for (int i = 0; i < aColumns; i++)
            {
                float sum = 0;
                for (int row = 0; row < rows; row++)
                {
                    sum += a[(long)row * aColumns + i] * b[(long)row * bColumns + from];
                }

                c[(long)i * bColumns + from] += sum;
            }
        }

        return from;
    }

    // Columns of a beyond the count repeat the last one, so that the loop has one shape.
    private static void Tile<TLanes, V>(float* a, int aStride, int count, float* b, int bStride, int rows, float* c)
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        float* x0 = a, x1 = a + Math.Min(1, count - 1), x2 = a + Math.Min(2, count - 1), x3 = a + Math.Min(3, count - 1);
        V a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
        float* y = b;
        for (long offset = 0, end = (long)rows * aStride; offset < end; offset += aStride, y += bStride)
        {
            V left = TLanes.Load((byte*)y);
            V right = TLanes.Load((byte*)(y + TLanes.Units));
            V x = TLanes.Broadcast((byte*)(x0 + offset));
            a0 = TLanes.MultiplyAdd(x, left, a0);
            a1 = TLanes.MultiplyAdd(x, right, a1);
            x = TLanes.Broadcast((byte*)(x1 + offset));
            b0 = TLanes.MultiplyAdd(x, left, b0);
            b1 = TLanes.MultiplyAdd(x, right, b1);
            x = TLanes.Broadcast((byte*)(x2 + offset));
            c0 = TLanes.MultiplyAdd(x, left, c0);
            c1 = TLanes.MultiplyAdd(x, right, c1);
            x = TLanes.Broadcast((byte*)(x3 + offset));
            d0 = TLanes.MultiplyAdd(x, left, d0);
            d1 = TLanes.MultiplyAdd(x, right, d1);
        }

        AddTo<TLanes, V>(c, a0, a1, 0 < count);
        AddTo<TLanes, V>(c + bStride, b0, b1, 1 < count);
        AddTo<TLanes, V>(c + 2L * bStride, c0, c1, 2 < count);
        AddTo<TLanes, V>(c + 3L * bStride, d0, d1, 3 < count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo<TLanes, V>(float* target, V left, V right, bool counts)
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        if (counts)
        {
            byte* second = (byte*)(target + TLanes.Units);
            TLanes.Store(TLanes.Add(TLanes.Load((byte*)target), left), (byte*)target);
            TLanes.Store(TLanes.Add(TLanes.Load(second), right), second);
        }
    }
}
