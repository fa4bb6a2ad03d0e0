using System.Runtime.CompilerServices;

namespace Signpost.Engine.Kernels;

/// <summary>Distance of a code from a table.</summary>
public unsafe interface IAdc
{
    static abstract float Distance(byte* code, float* table, int m);
}

public readonly unsafe struct Adc256 : IAdc
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Distance(byte* code, float* table, int m)
    {
        float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        int i = 0;
        for (; i + 8 <= m; i += 8)
        {
            ulong c = *(ulong*)(code + i);
            s0 += table[(byte)c];
            s1 += table[256 + (byte)(c >> 8)];
            s2 += table[512 + (byte)(c >> 16)];
            s3 += table[768 + (byte)(c >> 24)];
            s0 += table[1024 + (byte)(c >> 32)];
            s1 += table[1280 + (byte)(c >> 40)];
            s2 += table[1536 + (byte)(c >> 48)];
            s3 += table[1792 + (byte)(c >> 56)];
            table += 2048;
        }

        for (; i < m; i++)
        {
            s0 += table[code[i]];
            table += 256;
        }

        return (s0 + s1) + (s2 + s3);
    }
}

public readonly unsafe struct Adc16 : IAdc
{
    public static float Distance(byte* code, float* table, int m)
    {
        float s = 0;
        for (int i = 0; i < m; i++)
        {
            int c = (code[i / 2] >> (4 * (i % 2))) & 15;
            s += table[16 * i + c];
        }

        return s;
    }
}
