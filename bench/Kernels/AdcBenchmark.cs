using BenchmarkDotNet.Attributes;
using Signpost.Engine.Base;
using Signpost.Engine.Kernels;

namespace Signpost.Bench.Kernels;

/// <summary>Distances of codes from a table, in the first-level cache. Pays for: Adc.</summary>
public unsafe class AdcBenchmark : IDisposable
{
    /// <summary>Codes of one call.</summary>
    public const int Codes = 1024;

    private AlignedBuffer? _table;
    private AlignedBuffer? _codes;

    [Params(16, 32)]
    public int M { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Seeded(1, 0);
        _table = new AlignedBuffer(M * 256 * 4);
        _codes = new AlignedBuffer(Codes * M);
        foreach (ref float entry in new Span<float>(_table.Pointer, M * 256))
        {
            entry = random.Next(1000); // whole numbers: every order of adding gives the same sum
        }

        foreach (ref byte code in new Span<byte>(_codes.Pointer, Codes * M))
        {
            code = (byte)random.Next(256);
        }
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Codes)]
    public double Naive256() => Naive(256, M);

    [Benchmark(OperationsPerInvoke = Codes)]
    public double One256() => One<Adc256>(M);

    [Benchmark(OperationsPerInvoke = Codes)]
    public double Four256() => Four<Adc256>(M);

    [Benchmark(OperationsPerInvoke = Codes)]
    public double Naive16() => Naive(16, M / 2);

    [Benchmark(OperationsPerInvoke = Codes)]
    public double One16() => One<Adc16>(M / 2);

    [Benchmark(OperationsPerInvoke = Codes)]
    public double Four16() => Four<Adc16>(M / 2);

    [GlobalCleanup]
    public void Dispose()
    {
        _table?.Dispose();
        _codes?.Dispose();
        GC.SuppressFinalize(this);
    }

    private double Naive(int k, int codeBytes)
    {
        double sum = 0;
        for (int i = 0; i < Codes; i++)
        {
            sum += Reference.Adc(_codes!.Pointer + i * codeBytes, (float*)_table!.Pointer, M, k);
        }

        return sum;
    }

    private double One<TAdc>(int codeBytes)
        where TAdc : struct, IAdc
    {
        double sum = 0;
        for (int i = 0; i < Codes; i++)
        {
            sum += TAdc.Distance(_codes!.Pointer + i * codeBytes, (float*)_table!.Pointer, M);
        }

        return sum;
    }

    private double Four<TAdc>(int codeBytes)
        where TAdc : struct, IAdc
    {
        double sum = 0;
        float* four = stackalloc float[4];
        for (int i = 0; i < Codes; i += 4)
        {
            byte* code = _codes!.Pointer + i * codeBytes;
            TAdc.Distance4(code, code + codeBytes, code + 2 * codeBytes, code + 3 * codeBytes, (float*)_table!.Pointer, M, four);
            sum += (double)four[0] + four[1] + four[2] + four[3];
        }

        return sum;
    }
}
