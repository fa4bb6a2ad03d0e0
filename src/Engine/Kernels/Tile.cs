using System.Runtime.CompilerServices;
using Signpost.Engine.Base;

namespace Signpost.Engine.Kernels;

/// <summary>
/// The register tile of a matrix product: <see cref="Rows"/> rows of x against two vectors of columns of y, all sums in registers.
/// Twelve sums, two columns and one broadcast fit the 16 registers of AVX2 and keep the multipliers of AVX-512 busy.
/// </summary>
/// <remarks>
/// x is widened rows of units (see <see cref="ILanes{V}"/>), one after the other. y is a panel: unit by unit, the
/// <see cref="Columns{TLanes, V}"/> columns side by side, so that no sum has to be added up across a register.
/// </remarks>
internal static unsafe class Tile
{
    /// <summary>Rows of x in a tile.</summary>
    public const int Rows = 6;

    /// <summary>Units from one row of sums to the next, whatever the width.</summary>
    public const int Stride = 32;

    /// <summary>Bytes from one row of sums to the next.</summary>
    public const int RowBytes = Stride * 4;

    /// <summary>Columns of y in a panel.</summary>
    public static int Columns<TLanes, V>()
        where TLanes : struct, ILanes<V>
        where V : struct => 2 * TLanes.Units;

    /// <summary>
    /// Sums over <paramref name="units"/> units, added to those in <paramref name="sums"/> unless this is the
    /// <paramref name="first"/> part: long rows are summed in parts, which also keeps the rounding of floats small.
    /// Shape of <paramref name="sums"/>: [Rows, Stride], the first Columns used.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Sum<TTerm, TLanes, V>(byte* x, nint rowBytes, byte* panel, int units, bool first, byte* sums)
        where TTerm : struct, ITerm
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        int half = TLanes.Units * 4;
        V a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default;
        V d0 = default, d1 = default, e0 = default, e1 = default, f0 = default, f1 = default;
        byte* x3 = x + 3 * rowBytes;
        for (byte* end = x + (nint)units * 4; x < end; x += 4, x3 += 4, panel += 2 * half)
        {
            V y0 = TLanes.Load(panel);
            V y1 = TLanes.Load(panel + half);
            V row = TLanes.Broadcast(x);
            a0 = TTerm.Add<TLanes, V>(a0, row, y0);
            a1 = TTerm.Add<TLanes, V>(a1, row, y1);
            row = TLanes.Broadcast(x + rowBytes);
            b0 = TTerm.Add<TLanes, V>(b0, row, y0);
            b1 = TTerm.Add<TLanes, V>(b1, row, y1);
            row = TLanes.Broadcast(x + 2 * rowBytes);
            c0 = TTerm.Add<TLanes, V>(c0, row, y0);
            c1 = TTerm.Add<TLanes, V>(c1, row, y1);
            row = TLanes.Broadcast(x3);
            d0 = TTerm.Add<TLanes, V>(d0, row, y0);
            d1 = TTerm.Add<TLanes, V>(d1, row, y1);
            row = TLanes.Broadcast(x3 + rowBytes);
            e0 = TTerm.Add<TLanes, V>(e0, row, y0);
            e1 = TTerm.Add<TLanes, V>(e1, row, y1);
            row = TLanes.Broadcast(x3 + 2 * rowBytes);
            f0 = TTerm.Add<TLanes, V>(f0, row, y0);
            f1 = TTerm.Add<TLanes, V>(f1, row, y1);
        }

        Store<TLanes, V>(a0, a1, first, sums);
        Store<TLanes, V>(b0, b1, first, sums + RowBytes);
        Store<TLanes, V>(c0, c1, first, sums + 2 * RowBytes);
        Store<TLanes, V>(d0, d1, first, sums + 3 * RowBytes);
        Store<TLanes, V>(e0, e1, first, sums + 4 * RowBytes);
        Store<TLanes, V>(f0, f1, first, sums + 5 * RowBytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TLanes, V>(V left, V right, bool first, byte* sums)
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        if (!first)
        {
            left = TLanes.Add(left, TLanes.Load(sums));
            right = TLanes.Add(right, TLanes.Load(sums + TLanes.Units * 4));
        }

        TLanes.Store(left, sums);
        TLanes.Store(right, sums + TLanes.Units * 4);
    }

    /// <summary>Widens a vector to <paramref name="rowBytes"/> bytes of units, zeros after the last component.</summary>
    public static void Widen<TElement, TLanes, V>(byte* vector, int dim, byte* row, nint rowBytes)
        where TElement : struct, IElement<V>
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        byte* end = row + rowBytes;
        int i = 0;
        for (; i <= dim - TElement.Count; i += TElement.Count, row += TLanes.Units * 4)
        {
            TLanes.Store(TElement.Load(vector + (nint)i * TElement.Bytes), row);
        }

        if (i < dim)
        {
            TLanes.Store(OneToOne.First<TElement, V>(vector + (nint)i * TElement.Bytes, dim - i), row);
            row += TLanes.Units * 4;
        }

        Check.That(row <= end);
        Unsafe.InitBlockUnaligned(row, 0, (uint)(end - row));
    }

    /// <summary>Sum of the squares of a widened row, into the 4 bytes of <paramref name="square"/>: float32 or int32 as the lanes are.</summary>
    public static void Square<TLanes, V>(byte* row, nint rowBytes, byte* square)
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        V sum = default;
        for (byte* end = row + rowBytes; row < end; row += TLanes.Units * 4)
        {
            V operand = TLanes.Load(row);
            sum = TLanes.MultiplyAdd(operand, operand, sum);
        }

        if (typeof(TLanes) != typeof(IntegerLanes))
        {
            *(float*)square = TLanes.Total(sum);
            return;
        }

        int* units = stackalloc int[16];
        TLanes.Store(sum, (byte*)units);
        *(int*)square = 0;
        for (int i = 0; i < TLanes.Units; i++)
        {
            *(int*)square += units[i]; // Total is a float32 and would round
        }
    }

    /// <summary>
    /// Lays <paramref name="columns"/> widened rows side by side as a panel, 64 bytes of each row at a time so that what is read
    /// and written stays in the first-level cache.
    /// </summary>
    public static void Interleave(byte* rows, nint rowBytes, int columns, byte* panel)
    {
        const int Together = 16;
        uint* to = (uint*)panel;
        int rowUnits = (int)(rowBytes / 4); // a multiple of 16
        for (int u = 0; u < rowUnits; u += Together, to += Together * columns)
        {
            for (int column = 0; column < columns; column++)
            {
                uint* from = (uint*)(rows + column * rowBytes) + u;
                for (int i = 0; i < Together; i++)
                {
                    to[i * columns + column] = from[i];
                }
            }
        }
    }
}
