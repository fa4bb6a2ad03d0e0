using BenchmarkDotNet.Attributes;
using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Bench.Kernels;

/// <summary>All distances between the vectors of a block: a leaf of the graph builder. Pays for: Tile, RowsByRows.</summary>
public unsafe class PairwiseBenchmark : IDisposable
{
    private VectorBlock? _vectors;
    private AlignedBuffer? _distances;

    [Params(Metric.L2, Metric.InnerProduct)]
    public Metric Metric { get; set; }

    [Params(ElementType.UInt8, ElementType.Float32)]
    public ElementType Type { get; set; }

    [Params(8, 128, 784)]
    public int Dim { get; set; }

    [Params(1000)]
    public int Count { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _vectors = RandomVectors.Block(Type, Count, Dim, 1);
        _distances = new AlignedBuffer(4L * Count * Count);
    }

    [Benchmark(Baseline = true)]
    public double OneByOne() => PairDistances.Select<double, Loop>(Metric, Type, new Loop(_vectors!, (float*)_distances!.Pointer));

    [Benchmark]
    public double Tiled()
    {
        float* distances = (float*)_distances!.Pointer;
        byte* first = _vectors!.First;
        long stride = _vectors.StrideBytes;
        Pairwise.Distances(Metric, Type, first, stride, Count, first, stride, Count, Dim, distances, Count);
        return distances[1] + distances[Count * Count - 2];
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _vectors?.Dispose();
        _distances?.Dispose();
        GC.SuppressFinalize(this);
    }

    private readonly struct Loop(VectorBlock vectors, float* distances) : IPairDistanceUser<double>
    {
        public double Use<TPair>()
            where TPair : struct, IPairDistance
        {
            int count = (int)vectors.Count;
            for (int i = 0; i < count; i++)
            {
                for (int j = 0; j < count; j++)
                {
                    distances[i * count + j] = TPair.Between(vectors.Row(i), vectors.Row(j), vectors.Dim);
                }
            }

            return distances[1] + distances[count * count - 2];
        }
    }
}
