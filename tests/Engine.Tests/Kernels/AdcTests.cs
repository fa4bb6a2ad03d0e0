using Signpost.Engine.Base;
using Signpost.Engine.Kernels;

namespace Signpost.Engine.Tests.Kernels;

public sealed class Adc256Tests : AdcTests<Adc256>
{
    protected override int K => 256;

    protected override int CodeBytes(int m) => m;
}

public sealed class Adc16Tests : AdcTests<Adc16>
{
    protected override int K => 16;

    protected override int CodeBytes(int m) => (m + 1) / 2;
}

/// <summary>The distance of a code against the dull sum.</summary>
public abstract unsafe class AdcTests<TAdc>
    where TAdc : struct, IAdc
{
    private const int MostSubspaces = 70;

    protected abstract int K { get; }

    protected abstract int CodeBytes(int m);

    [Fact]
    public void A_code_is_at_the_sum_of_its_table_entries()
    {
        using var codes = new GuardedMemory(4 * MostSubspaces);
        using var tables = new GuardedMemory(MostSubspaces * K * 4L);
        float* got = stackalloc float[4];
        var random = new Seeded(1, (ulong)K);
        for (int m = 0; m <= MostSubspaces; m++)
        {
            int bytes = CodeBytes(m);
            byte* code = codes.BeforeEnd(4 * bytes);
            float* table = (float*)tables.BeforeEnd((long)m * K * 4);
            for (int i = 0; i < 4 * bytes; i++)
            {
                code[i] = (byte)random.Next(256);
            }

            for (int i = 0; i < m * K; i++)
            {
                table[i] = (float)random.NextDouble();
            }

            TAdc.Distance4(code, code + bytes, code + 2 * bytes, code + 3 * bytes, table, m, got);
            for (int i = 0; i < 4; i++)
            {
                double want = Reference.Adc(code + i * bytes, table, m, K);
                Assert.Equal(want, got[i], Components.FloatTolerance * (want + 1));
                Assert.Equal(TAdc.Distance(code + i * bytes, table, m), got[i]);
            }
        }
    }
}
