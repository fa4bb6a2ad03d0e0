using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Signpost.Engine.Kernels;

namespace Signpost.Engine.Quantizers;

/// <summary>A codebook as <see cref="CodeRefiner"/> reads it.</summary>
/// <param name="panels">As <see cref="CodewordKernels"/> lays them out.</param>
/// <param name="products">
/// Products of two components of a codeword, (0, 0), (0, 1) .. (0, width - 1), (1, 1) .., laid out as panels of that many components; null
/// where there would be too many of them.
/// </param>
/// <param name="squares">Squared lengths. Shape: [k].</param>
/// <param name="k">Codewords, a multiple of 16.</param>
/// <param name="offset">First component of the subspace.</param>
/// <param name="width">Components of the subspace.</param>
internal readonly unsafe struct CodebookView(float* panels, float* products, float* squares, int k, int offset, int width)
{
    public readonly float* Panels = panels;
    public readonly float* Products = products;
    public readonly float* Squares = squares;
    public readonly int K = k;
    public readonly int Offset = offset;
    public readonly int Width = width;

    /// <summary>Products of two components.</summary>
    public static int PairsOf(int width) => width * (width + 1) / 2;
}

/// <summary>
/// What the cost of every codeword c of a subspace follows from, for <see cref="Group"/> vertices side by side. With o = ||c - z||^2,
/// z being the vertex' own part in the subspace, and r its neighbours':
/// <code>cost(c) = o (squared o + own + sum_d slope_d c_d) + sum_d pull_d c_d + sum_de spread_de c_d c_e</code>
/// </summary>
internal readonly unsafe struct CostTerms(float* memory, int mostWidth)
{
    /// <summary>Vertices: as many sums in flight as hide the latency of a multiply-add, and a codeword is loaded once for all.</summary>
    public const int Group = 4;

    /// <summary>Of a component: -2 z_d, slope_d and pull_d, each of every vertex. Shape: [width, 3, Group].</summary>
    public readonly float* Linear = memory;

    /// <summary>||z||^2, own and squared, each of every vertex. Shape: [3, Group].</summary>
    public readonly float* Constants = memory + (mostWidth * 3 * Group);

    /// <summary>spread, both orders of a pair in one. Shape: [pairs of the subspace, Group]; not used without products of codewords.</summary>
    public readonly float* Spread = memory + ((mostWidth + 1) * 3 * Group);

    public static int Floats(int mostWidth) => ((mostWidth + 1) * 3 * Group) + (CodebookView.PairsOf(mostWidth) * Group);
}

/// <summary>The inner loop of <see cref="CodeRefiner"/>: lanes are codewords.</summary>
internal static unsafe class CodewordCosts
{
    private const int Lanes = CodewordKernels.PanelWidth;
    private const int Group = CostTerms.Group;

    /// <summary>The costs of all codewords.</summary>
    /// <param name="codebook">The codewords.</param>
    /// <param name="terms">As they are for this subspace.</param>
    /// <param name="places">The vertices, for the spread where there are no products of codewords; null: no vertex.</param>
    /// <param name="costs">Shape: [Group, K].</param>
    public static void Compute<TWidth>(in CodebookView codebook, in CostTerms terms, Neighbourhood?[] places, float* costs)
        where TWidth : struct, ISimdWidth
    {
        if (TWidth.Use512)
        {
            Panels<FloatLanes, Vector512<float>>(codebook, terms, places, costs);
        }
        else if (TWidth.Use256)
        {
            Panels<FloatLanes, Vector256<float>>(codebook, terms, places, costs);
        }
        else if (TWidth.Use128)
        {
            Panels<FloatLanes, Vector128<float>>(codebook, terms, places, costs);
        }
        else
        {
            Panels<FloatLanes, float>(codebook, terms, places, costs);
        }
    }

    private static void Panels<TLanes, V>(in CodebookView codebook, in CostTerms terms, Neighbourhood?[] places, float* costs)
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        int width = codebook.Width, k = codebook.K;
        for (int first = 0; first < k; first += TLanes.Units)
        {
            long panel = (long)(first / Lanes) * Lanes;
            float* codewords = codebook.Panels + (panel * width) + (first % Lanes);
            Costs<TLanes, V>(codewords, codebook, terms, first, costs + first);
            if (codebook.Products is not null)
            {
                int pairs = CodebookView.PairsOf(width);
                Spread<TLanes, V>(codebook.Products + (panel * pairs) + (first % Lanes), pairs, terms.Spread, costs + first, k);
                continue;
            }

            for (int i = 0; i < Group; i++)
            {
                if (places[i] is { } place)
                {
                    Spread<TLanes, V>(codewords, codebook, place, costs + ((long)i * k) + first);
                }
            }
        }
    }

    /// <summary>The costs without spread.</summary>
    [SkipLocalsInit]
    private static void Costs<TLanes, V>(float* codewords, in CodebookView codebook, in CostTerms terms, int first, float* costs)
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        V squares = TLanes.Load((byte*)(codebook.Squares + first));
        V own0 = TLanes.Add(squares, At<TLanes, V>(terms.Constants));
        V own1 = TLanes.Add(squares, At<TLanes, V>(terms.Constants + 1));
        V own2 = TLanes.Add(squares, At<TLanes, V>(terms.Constants + 2));
        V own3 = TLanes.Add(squares, At<TLanes, V>(terms.Constants + 3));
        V slope0 = At<TLanes, V>(terms.Constants + 4), slope1 = At<TLanes, V>(terms.Constants + 5);
        V slope2 = At<TLanes, V>(terms.Constants + 6), slope3 = At<TLanes, V>(terms.Constants + 7);
        V pull0 = default, pull1 = default, pull2 = default, pull3 = default;
        float* linear = terms.Linear;
        for (int d = 0; d < codebook.Width; d++, linear += 3 * Group)
        {
            V c = TLanes.Load((byte*)(codewords + (d * Lanes)));
            own0 = TLanes.MultiplyAdd(At<TLanes, V>(linear), c, own0);
            own1 = TLanes.MultiplyAdd(At<TLanes, V>(linear + 1), c, own1);
            own2 = TLanes.MultiplyAdd(At<TLanes, V>(linear + 2), c, own2);
            own3 = TLanes.MultiplyAdd(At<TLanes, V>(linear + 3), c, own3);
            slope0 = TLanes.MultiplyAdd(At<TLanes, V>(linear + 4), c, slope0);
            slope1 = TLanes.MultiplyAdd(At<TLanes, V>(linear + 5), c, slope1);
            slope2 = TLanes.MultiplyAdd(At<TLanes, V>(linear + 6), c, slope2);
            slope3 = TLanes.MultiplyAdd(At<TLanes, V>(linear + 7), c, slope3);
            pull0 = TLanes.MultiplyAdd(At<TLanes, V>(linear + 8), c, pull0);
            pull1 = TLanes.MultiplyAdd(At<TLanes, V>(linear + 9), c, pull1);
            pull2 = TLanes.MultiplyAdd(At<TLanes, V>(linear + 10), c, pull2);
            pull3 = TLanes.MultiplyAdd(At<TLanes, V>(linear + 11), c, pull3);
        }

        float* squared = terms.Constants + 8;
        Store<TLanes, V>(own0, squared, slope0, pull0, costs);
        Store<TLanes, V>(own1, squared + 1, slope1, pull1, costs + codebook.K);
        Store<TLanes, V>(own2, squared + 2, slope2, pull2, costs + (2L * codebook.K));
        Store<TLanes, V>(own3, squared + 3, slope3, pull3, costs + (3L * codebook.K));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TLanes, V>(V own, float* squared, V slope, V pull, float* costs)
        where TLanes : struct, ILanes<V>
        where V : struct =>
        TLanes.Store(TLanes.MultiplyAdd(own, TLanes.MultiplyAdd(own, At<TLanes, V>(squared), slope), pull), (byte*)costs);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V At<TLanes, V>(float* value)
        where TLanes : struct, ILanes<V>
        where V : struct => TLanes.Broadcast((byte*)value);

    /// <summary>Adds the spread by the products of codewords.</summary>
    private static void Spread<TLanes, V>(float* products, int pairs, float* spread, float* costs, int k)
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        V sum0 = TLanes.Load((byte*)costs), sum1 = TLanes.Load((byte*)(costs + k));
        V sum2 = TLanes.Load((byte*)(costs + (2L * k))), sum3 = TLanes.Load((byte*)(costs + (3L * k)));
        for (int j = 0; j < pairs; j++, products += Lanes, spread += Group)
        {
            V product = TLanes.Load((byte*)products);
            sum0 = TLanes.MultiplyAdd(At<TLanes, V>(spread), product, sum0);
            sum1 = TLanes.MultiplyAdd(At<TLanes, V>(spread + 1), product, sum1);
            sum2 = TLanes.MultiplyAdd(At<TLanes, V>(spread + 2), product, sum2);
            sum3 = TLanes.MultiplyAdd(At<TLanes, V>(spread + 3), product, sum3);
        }

        TLanes.Store(sum0, (byte*)costs);
        TLanes.Store(sum1, (byte*)(costs + k));
        TLanes.Store(sum2, (byte*)(costs + (2L * k)));
        TLanes.Store(sum3, (byte*)(costs + (3L * k)));
    }

    /// <summary>Adds the spread of one vertex, neighbour by neighbour.</summary>
    private static void Spread<TLanes, V>(float* codewords, in CodebookView codebook, Neighbourhood place, float* costs)
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        V all = default;
        for (int u = 0; u < place.Padded; u += Group)
        {
            float* row = place.Relative(codebook.Offset) + u;
            V dot0 = default, dot1 = default, dot2 = default, dot3 = default;
            for (int d = 0; d < codebook.Width; d++, row += place.Stride)
            {
                V c = TLanes.Load((byte*)(codewords + (d * Lanes)));
                dot0 = TLanes.MultiplyAdd(At<TLanes, V>(row), c, dot0);
                dot1 = TLanes.MultiplyAdd(At<TLanes, V>(row + 1), c, dot1);
                dot2 = TLanes.MultiplyAdd(At<TLanes, V>(row + 2), c, dot2);
                dot3 = TLanes.MultiplyAdd(At<TLanes, V>(row + 3), c, dot3);
            }

            all = TLanes.MultiplyAdd(dot0, dot0, all);
            all = TLanes.MultiplyAdd(dot1, dot1, all);
            all = TLanes.MultiplyAdd(dot2, dot2, all);
            all = TLanes.MultiplyAdd(dot3, dot3, all);
        }

        float scale = 4 * place.Scale;
        TLanes.Store(TLanes.MultiplyAdd(all, At<TLanes, V>(&scale), TLanes.Load((byte*)costs)), (byte*)costs);
    }
}
