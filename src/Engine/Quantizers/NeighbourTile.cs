using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Signpost.Engine.Kernels;

namespace Signpost.Engine.Quantizers;

/// <summary>The inner loop of <see cref="Neighbourhood.Best"/>: lanes are codewords, and a codeword is loaded once for four neighbours.</summary>
internal static unsafe class NeighbourTile
{
    /// <summary>Neighbours of a tile.</summary>
    public const int Rows = 4;

    private const int Lanes = CodewordKernels.PanelWidth;

    /// <inheritdoc cref="Neighbourhood.Best"/>
    public static int Best<TWidth>(
        float* rows, int dim, int padded, float* present, float* errors, in CodebookView codewords, float scale, float isotropy)
        where TWidth : struct, ISimdWidth
    {
        float* costs = stackalloc float[256];
        if (TWidth.Use512)
        {
            Costs<FloatLanes, Vector512<float>>(rows, dim, padded, present, errors, codewords, scale, isotropy, costs);
        }
        else if (TWidth.Use256)
        {
            Costs<FloatLanes, Vector256<float>>(rows, dim, padded, present, errors, codewords, scale, isotropy, costs);
        }
        else if (TWidth.Use128)
        {
            Costs<FloatLanes, Vector128<float>>(rows, dim, padded, present, errors, codewords, scale, isotropy, costs);
        }
        else
        {
            Costs<FloatLanes, float>(rows, dim, padded, present, errors, codewords, scale, isotropy, costs);
        }

        int best = 0;
        for (int k = 1; k < codewords.K; k++)
        {
            best = costs[k] < costs[best] ? k : best;
        }

        return best;
    }

    [SkipLocalsInit]
    private static void Costs<TLanes, V>(
        float* rows, int dim, int padded, float* present, float* errors, in CodebookView codewords, float scale, float isotropy, float* costs)
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        V scales = TLanes.Broadcast((byte*)&scale);
        V isotropies = TLanes.Broadcast((byte*)&isotropy);
        float* first = rows + codewords.Offset;
        fixed (float* squares = codewords.Squares)
        fixed (float* constants = codewords.Constants)
        {
            for (int k = 0; k < codewords.K; k += TLanes.Units)
            {
                float* codeword = codewords.Panels + ((long)(k / Lanes) * Lanes * codewords.Width) + (k % Lanes);
                V constant = TLanes.Load((byte*)(constants + k));
                V own = TLanes.Load((byte*)(squares + k));
                for (int d = 0; d < codewords.Width; d++)
                {
                    own = TLanes.MultiplyAdd(TLanes.Broadcast((byte*)(first + d)), TLanes.Load((byte*)(codeword + (d * Lanes))), own);
                }

                V sum = default;
                for (int i = 0; i < padded; i += Rows)
                {
                    float* row = first + ((i + 1L) * dim);
                    sum = Add<TLanes, V>(row, dim, present + i, errors + i, codeword, codewords.Width, constant, sum);
                }

                TLanes.Store(TLanes.MultiplyAdd(sum, scales, TLanes.MultiplyAdd(own, isotropies, default)), (byte*)(costs + k));
            }
        }
    }

    /// <summary>Adds the squared errors that four neighbours would see.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Add<TLanes, V>(
        float* row, int dim, float* present, float* errors, float* codeword, int width, V constant, V sum)
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        float* row1 = row + dim, row2 = row1 + dim, row3 = row2 + dim;
        V e0 = TLanes.MultiplyAdd(TLanes.Broadcast((byte*)present), constant, TLanes.Broadcast((byte*)errors));
        V e1 = TLanes.MultiplyAdd(TLanes.Broadcast((byte*)(present + 1)), constant, TLanes.Broadcast((byte*)(errors + 1)));
        V e2 = TLanes.MultiplyAdd(TLanes.Broadcast((byte*)(present + 2)), constant, TLanes.Broadcast((byte*)(errors + 2)));
        V e3 = TLanes.MultiplyAdd(TLanes.Broadcast((byte*)(present + 3)), constant, TLanes.Broadcast((byte*)(errors + 3)));
        for (int d = 0; d < width; d++, codeword += Lanes)
        {
            V c = TLanes.Load((byte*)codeword);
            e0 = TLanes.MultiplyAdd(TLanes.Broadcast((byte*)(row + d)), c, e0);
            e1 = TLanes.MultiplyAdd(TLanes.Broadcast((byte*)(row1 + d)), c, e1);
            e2 = TLanes.MultiplyAdd(TLanes.Broadcast((byte*)(row2 + d)), c, e2);
            e3 = TLanes.MultiplyAdd(TLanes.Broadcast((byte*)(row3 + d)), c, e3);
        }

        sum = TLanes.MultiplyAdd(e0, e0, sum);
        sum = TLanes.MultiplyAdd(e1, e1, sum);
        sum = TLanes.MultiplyAdd(e2, e2, sum);
        return TLanes.MultiplyAdd(e3, e3, sum);
    }
}
