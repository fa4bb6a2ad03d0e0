using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Signpost.Engine.Kernels;

namespace Signpost.Engine.Quantizers;

/// <summary>
/// The two inner loops of quantization: the nearest codeword of many rows, and one row of a look-up table. Codewords are held in
/// panels of 16, component by component, so that one register holds the same component of 16 codewords and a row's component is
/// broadcast against it. Distances are sums of squared differences, so nothing cancels.
/// </summary>
/// <remarks>Panels have the shape [ceil(K / 16), dim, 16]; what only fills the last panel is at +infinity and never nearest.</remarks>
internal static unsafe class CodewordKernels
{
    /// <summary>Codewords in a panel: the floats of the widest register.</summary>
    public const int PanelWidth = 16;

    // Rows of one tile: 4 sums in flight hide the latency of a multiply-add, and a codeword is loaded once for 4 rows.
    private const int TileRows = 4;

    // Panels of one pass over the rows fit in half of a common L2 cache: a codebook of whole vectors is many times larger.
    private const int PassFloats = 1 << 17;

    private static ReadOnlySpan<float> Ramp => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    /// <summary>Floats of the panels of <paramref name="k"/> codewords.</summary>
    public static long PanelFloats(int k, int dim) => (long)((k + PanelWidth - 1) / PanelWidth) * PanelWidth * dim;

    /// <summary>Lays <paramref name="codewords"/>, shape [k, dim], out as panels.</summary>
    public static void Pack(ReadOnlySpan<float> codewords, int k, int dim, float* panels)
    {
        new Span<float>(panels, checked((int)PanelFloats(k, dim))).Fill(float.PositiveInfinity);
        for (int i = 0; i < k; i++)
        {
            float* lane = panels + (long)(i / PanelWidth) * PanelWidth * dim + i % PanelWidth;
            for (int d = 0; d < dim; d++)
            {
                lane[(long)d * PanelWidth] = codewords[i * dim + d];
            }
        }
    }

    /// <summary>
    /// For each row the codeword at the smallest squared distance, the lower one of equals, and that distance. A row with a NaN gets
    /// codeword 0 at +infinity.
    /// </summary>
    /// <param name="rows">Shape: [rowCount, dim], <paramref name="rowStride"/> floats from one row to the next.</param>
    /// <param name="rowStride">At least <paramref name="dim"/>.</param>
    /// <param name="rowCount">Any number of rows.</param>
    /// <param name="panels">Panels of <paramref name="k"/> codewords.</param>
    /// <param name="k">Codewords, below 2^24.</param>
    /// <param name="dim">Components of a row and of a codeword.</param>
    /// <param name="nearest">Shape: [rowCount].</param>
    /// <param name="distances">Shape: [rowCount].</param>
    public static void Nearest(float* rows, long rowStride, int rowCount, float* panels, int k, int dim, int* nearest, float* distances) =>
        Nearest<Native>(rows, rowStride, rowCount, panels, k, dim, nearest, distances);

    internal static void Nearest<TWidth>(
        float* rows, long rowStride, int rowCount, float* panels, int k, int dim, int* nearest, float* distances)
        where TWidth : struct, ISimdWidth
    {
        new Span<int>(nearest, rowCount).Clear();
        new Span<float>(distances, rowCount).Fill(float.PositiveInfinity);
        int panelCount = (k + PanelWidth - 1) / PanelWidth;
        int pass = Math.Max(1, PassFloats / (PanelWidth * dim));
        for (int first = 0; first < panelCount; first += pass)
        {
            int end = Math.Min(panelCount, first + pass);
            for (int i = 0; i < rowCount; i += TileRows)
            {
                var tile = new RowTile(rows + i * rowStride, rowStride, Math.Min(TileRows, rowCount - i), nearest + i, distances + i);
                Tile<TWidth>(tile, panels, first, end, dim);
            }
        }
    }

    /// <summary>
    /// One value per codeword: <paramref name="start"/> plus the sum of the terms of <paramref name="row"/> and the codeword, which are
    /// squared differences (<see cref="SquaredL2"/>) or products (<see cref="InnerProduct"/>).
    /// </summary>
    /// <param name="row">Shape: [dim].</param>
    /// <param name="panels">Panels of <paramref name="k"/> codewords.</param>
    /// <param name="k">Codewords.</param>
    /// <param name="dim">Components.</param>
    /// <param name="start">What the sums start from.</param>
    /// <param name="values">Shape: [k rounded up to whole panels].</param>
    public static void Values<TTerm>(float* row, float* panels, int k, int dim, float start, float* values)
        where TTerm : struct, ITerm => Values<TTerm, Native>(row, panels, k, dim, start, values);

    internal static void Values<TTerm, TWidth>(float* row, float* panels, int k, int dim, float start, float* values)
        where TTerm : struct, ITerm
        where TWidth : struct, ISimdWidth
    {
        if (TWidth.Use512)
        {
            ValuesIn<TTerm, FloatLanes, Vector512<float>>(row, panels, k, dim, start, values);
        }
        else if (TWidth.Use256)
        {
            ValuesIn<TTerm, FloatLanes, Vector256<float>>(row, panels, k, dim, start, values);
        }
        else if (TWidth.Use128)
        {
            ValuesIn<TTerm, FloatLanes, Vector128<float>>(row, panels, k, dim, start, values);
        }
        else
        {
            ValuesIn<TTerm, FloatLanes, float>(row, panels, k, dim, start, values);
        }
    }

    private static void Tile<TWidth>(in RowTile tile, float* panels, int firstPanel, int endPanel, int dim)
        where TWidth : struct, ISimdWidth
    {
        if (TWidth.Use512)
        {
            TileIn<FloatLanes, FloatSelect, Vector512<float>>(tile, panels, firstPanel, endPanel, dim);
        }
        else if (TWidth.Use256)
        {
            TileIn<FloatLanes, FloatSelect, Vector256<float>>(tile, panels, firstPanel, endPanel, dim);
        }
        else if (TWidth.Use128)
        {
            TileIn<FloatLanes, FloatSelect, Vector128<float>>(tile, panels, firstPanel, endPanel, dim);
        }
        else
        {
            TileIn<FloatLanes, FloatSelect, float>(tile, panels, firstPanel, endPanel, dim);
        }
    }

    private static void ValuesIn<TTerm, TLanes, V>(float* row, float* panels, int k, int dim, float start, float* values)
        where TTerm : struct, ITerm
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        V first = TLanes.Broadcast((byte*)&start);
        for (int i = 0; i < k; i += TLanes.Units)
        {
            float* codeword = panels + (long)(i / PanelWidth) * PanelWidth * dim + i % PanelWidth;
            V sum = first;
            for (int d = 0; d < dim; d++, codeword += PanelWidth)
            {
                sum = TTerm.Add<TLanes, V>(sum, TLanes.Broadcast((byte*)(row + d)), TLanes.Load((byte*)codeword));
            }

            TLanes.Store(sum, (byte*)(values + i));
        }
    }

    [SkipLocalsInit]
    private static void TileIn<TLanes, TSelect, V>(in RowTile tile, float* panels, int firstPanel, int endPanel, int dim)
        where TLanes : struct, ILanes<V>
        where TSelect : struct, ISelectLess<V>
        where V : struct
    {
        float* x0 = tile.Row(0), x1 = tile.Row(1), x2 = tile.Row(2), x3 = tile.Row(3);
        float infinity = float.PositiveInfinity;
        V best0 = TLanes.Broadcast((byte*)&infinity), best1 = best0, best2 = best0, best3 = best0;
        V at0 = default, at1 = default, at2 = default, at3 = default;
        for (int k = firstPanel * PanelWidth; k < endPanel * PanelWidth; k += TLanes.Units)
        {
            float* codeword = panels + (long)(k / PanelWidth) * PanelWidth * dim + k % PanelWidth;
            V sum0 = default, sum1 = default, sum2 = default, sum3 = default;
            for (int d = 0; d < dim; d++, codeword += PanelWidth)
            {
                V y = TLanes.Load((byte*)codeword);
                V t0 = TLanes.Subtract(TLanes.Broadcast((byte*)(x0 + d)), y);
                V t1 = TLanes.Subtract(TLanes.Broadcast((byte*)(x1 + d)), y);
                V t2 = TLanes.Subtract(TLanes.Broadcast((byte*)(x2 + d)), y);
                V t3 = TLanes.Subtract(TLanes.Broadcast((byte*)(x3 + d)), y);
                sum0 = TLanes.MultiplyAdd(t0, t0, sum0);
                sum1 = TLanes.MultiplyAdd(t1, t1, sum1);
                sum2 = TLanes.MultiplyAdd(t2, t2, sum2);
                sum3 = TLanes.MultiplyAdd(t3, t3, sum3);
            }

            V id = Ids<TLanes, V>(k);
            at0 = TSelect.SelectLess(sum0, best0, id, at0);
            at1 = TSelect.SelectLess(sum1, best1, id, at1);
            at2 = TSelect.SelectLess(sum2, best2, id, at2);
            at3 = TSelect.SelectLess(sum3, best3, id, at3);
            best0 = TSelect.SelectLess(sum0, best0, sum0, best0);
            best1 = TSelect.SelectLess(sum1, best1, sum1, best1);
            best2 = TSelect.SelectLess(sum2, best2, sum2, best2);
            best3 = TSelect.SelectLess(sum3, best3, sum3, best3);
        }

        float* lanes = stackalloc float[2 * PanelWidth];
        Merge<TLanes, V>(tile, 0, best0, at0, lanes);
        Merge<TLanes, V>(tile, 1, best1, at1, lanes);
        Merge<TLanes, V>(tile, 2, best2, at2, lanes);
        Merge<TLanes, V>(tile, 3, best3, at3, lanes);
    }

    // k, k + 1, ... as floats, exact below 2^24.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Ids<TLanes, V>(int k)
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        float first = k;
        fixed (float* ramp = Ramp)
        {
            return TLanes.Add(TLanes.Load((byte*)ramp), TLanes.Broadcast((byte*)&first));
        }
    }

    // The least (distance, id) of the lanes and of what earlier passes found; their ids are lower, so equal distances change nothing.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Merge<TLanes, V>(in RowTile tile, int row, V best, V at, float* lanes)
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        TLanes.Store(best, (byte*)lanes);
        TLanes.Store(at, (byte*)(lanes + PanelWidth));
        tile.Merge(row, lanes, TLanes.Units);
    }

    /// <summary>Up to 4 rows and their results. Rows beyond the count repeat the last one, so that the loop has one shape.</summary>
    private readonly struct RowTile(float* rows, long stride, int count, int* nearest, float* distances)
    {
        public float* Row(int row) => rows + Math.Min(row, count - 1) * stride;

        public void Merge(int row, float* lanes, int width)
        {
            float best = lanes[0];
            float at = lanes[PanelWidth];
            for (int i = 1; i < width; i++)
            {
                float value = lanes[i];
                float id = lanes[PanelWidth + i];
                bool better = value < best | (value == best & id < at);
                best = better ? value : best;
                at = better ? id : at;
            }

            if (row < count && best < distances[row])
            {
                distances[row] = best;
                nearest[row] = (int)at;
            }
        }
    }
}
