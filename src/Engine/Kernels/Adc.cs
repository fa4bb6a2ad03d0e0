using System.Runtime.CompilerServices;

namespace Signpost.Engine.Kernels;

/// <summary>
/// Asymmetric distance computation (Jegou, Douze, Schmid, "Product Quantization for Nearest Neighbor Search", 2011): the distance
/// of a code is the sum of one table entry per subspace.
/// </summary>
/// <remarks>Table shape: [m, K] float32, row-major. As a type, so that the search loop is compiled for it.</remarks>
public unsafe interface IAdc
{
    /// <summary>The distance of one code of <paramref name="m"/> subspaces.</summary>
    static abstract float Distance(byte* code, float* table, int m);

    /// <summary>
    /// The distances of four codes, each the same number as <see cref="Distance"/> gives, one after the other in the same piece of
    /// code, so that the processor overlaps them.
    /// </summary>
    static abstract void Distance4(byte* code0, byte* code1, byte* code2, byte* code3, float* table, int m, float* distances);
}

/// <summary>K = 256: a code is <c>m</c> bytes.</summary>
/// <remarks>
/// One byte load and one addition from memory per subspace, indices of the machine's word size so that no widening is in
/// between. A gather is slower (AVX2: 6.9 ns against 3.8 ns for m = 16 on Zen 4), and so is taking codes apart from a 64-bit word.
/// </remarks>
public readonly unsafe struct Adc256 : IAdc
{
    private const int K = 256;
    private const int Unroll = 8;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Distance(byte* code, float* table, int m)
    {
        float a = 0, b = 0, c = 0, d = 0; // four chains hide the latency of the additions
        for (; m >= Unroll; m -= Unroll, code += Unroll, table += Unroll * K)
        {
            a += table[(nuint)code[0]];
            b += (table + K)[(nuint)code[1]];
            c += (table + 2 * K)[(nuint)code[2]];
            d += (table + 3 * K)[(nuint)code[3]];
            a += (table + 4 * K)[(nuint)code[4]];
            b += (table + 5 * K)[(nuint)code[5]];
            c += (table + 6 * K)[(nuint)code[6]];
            d += (table + 7 * K)[(nuint)code[7]];
        }

        for (; m > 0; m--, code++, table += K)
        {
            a += table[(nuint)code[0]];
        }

        return a + b + (c + d);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Distance4(byte* code0, byte* code1, byte* code2, byte* code3, float* table, int m, float* distances)
    {
        distances[0] = Distance(code0, table, m);
        distances[1] = Distance(code1, table, m);
        distances[2] = Distance(code2, table, m);
        distances[3] = Distance(code3, table, m);
    }
}

/// <summary>K = 16: a code is ceil(<c>m</c> / 2) bytes, the even subspace in the low nibble.</summary>
public readonly unsafe struct Adc16 : IAdc
{
    private const int K = 16;
    private const int Unroll = 8;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Distance(byte* code, float* table, int m)
    {
        float a = 0, b = 0, c = 0, d = 0;
        for (; m >= Unroll; m -= Unroll, code += Unroll / 2, table += Unroll * K)
        {
            a += table[(nuint)code[0] & 15];
            b += (table + K)[(nuint)code[0] >> 4];
            c += (table + 2 * K)[(nuint)code[1] & 15];
            d += (table + 3 * K)[(nuint)code[1] >> 4];
            a += (table + 4 * K)[(nuint)code[2] & 15];
            b += (table + 5 * K)[(nuint)code[2] >> 4];
            c += (table + 6 * K)[(nuint)code[3] & 15];
            d += (table + 7 * K)[(nuint)code[3] >> 4];
        }

        for (; m >= 2; m -= 2, code++, table += 2 * K)
        {
            a += table[(nuint)code[0] & 15];
            b += (table + K)[(nuint)code[0] >> 4];
        }

        return m > 0 ? a + table[(nuint)code[0] & 15] + b + (c + d) : a + b + (c + d);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Distance4(byte* code0, byte* code1, byte* code2, byte* code3, float* table, int m, float* distances)
    {
        distances[0] = Distance(code0, table, m);
        distances[1] = Distance(code1, table, m);
        distances[2] = Distance(code2, table, m);
        distances[3] = Distance(code3, table, m);
    }
}
