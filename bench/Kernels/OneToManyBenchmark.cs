using BenchmarkDotNet.Attributes;
using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Bench.Kernels;

/// <summary>
/// One vector against 1024 rows in random order, as a graph walk asks for them. The rows come from the second-level cache (128
/// dimensions) or the third (784).
/// </summary>
public unsafe class OneToManyBenchmark : IDisposable
{
    /// <summary>Distances of one call.</summary>
    public const int Asked = 1024;

    private readonly int[] _rows = new int[Asked];
    private VectorBlock? _vectors;

    [Params(ElementType.UInt8, ElementType.Float32)]
    public ElementType Type { get; set; }

    [Params(128, 784)]
    public int Dim { get; set; }

    [Params(100_000)]
    public int Count { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _vectors = RandomVectors.Block(Type, Count, Dim, 1);
        var random = new Seeded(2, 0);
        for (int i = 0; i < Asked; i++)
        {
            _rows[i] = random.Next(Count);
        }
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Asked)]
    public double Scalar()
    {
        double sum = 0;
        foreach (int row in _rows)
        {
            sum += PairDistances.Between<ScalarOnly>(Metric.L2, Type, _vectors!.Row(0), _vectors.Row(row), Dim);
        }

        return sum;
    }

    [Benchmark(OperationsPerInvoke = Asked)]
    public double Native() => PairDistances.Select<double, Loop>(Metric.L2, Type, new Loop(_vectors!, _rows));

    [GlobalCleanup]
    public void Dispose()
    {
        _vectors?.Dispose();
        GC.SuppressFinalize(this);
    }

    private readonly struct Loop(VectorBlock vectors, int[] rows) : IPairDistanceUser<double>
    {
        public double Use<TPair>()
            where TPair : struct, IPairDistance
        {
            double sum = 0;
            foreach (int row in rows)
            {
                sum += TPair.Between(vectors.Row(0), vectors.Row(row), vectors.Dim);
            }

            return sum;
        }
    }
}
