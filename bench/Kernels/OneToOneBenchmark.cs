using BenchmarkDotNet.Attributes;
using Signpost.Engine.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Bench.Kernels;

/// <summary>One vector against one, both in the first-level cache. Pays for: OneToOne, the lanes and the elements.</summary>
public unsafe class OneToOneBenchmark : IDisposable
{
    private VectorBlock? _vectors;

    [ParamsAllValues]
    public Metric Metric { get; set; }

    [ParamsAllValues]
    public ElementType Type { get; set; }

    [Params(128, 784)]
    public int Dim { get; set; }

    [GlobalSetup]
    public void Setup() => _vectors = RandomVectors.Block(Type, 2, Dim, 1);

    [Benchmark(Baseline = true)]
    public double Scalar() => PairDistances.Between<ScalarOnly>(Metric, Type, _vectors!.Row(0), _vectors.Row(1), Dim);

    [Benchmark]
    public double Bits128() => PairDistances.Between<Max128>(Metric, Type, _vectors!.Row(0), _vectors.Row(1), Dim);

    [Benchmark]
    public double Bits256() => PairDistances.Between<Max256>(Metric, Type, _vectors!.Row(0), _vectors.Row(1), Dim);

    [Benchmark]
    public double Native() => PairDistances.Between<Native>(Metric, Type, _vectors!.Row(0), _vectors.Row(1), Dim);

    [GlobalCleanup]
    public void Dispose()
    {
        _vectors?.Dispose();
        GC.SuppressFinalize(this);
    }
}
