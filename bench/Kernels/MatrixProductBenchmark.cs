using BenchmarkDotNet.Attributes;
using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Bench.Kernels;

/// <summary>A float32 matrix times the transpose of another: 1 row is the rotation of a query, 1000 rows are those of a batch.</summary>
public unsafe class MatrixProductBenchmark : IDisposable
{
    private VectorBlock? _rows;
    private VectorBlock? _rotation;
    private AlignedBuffer? _product;
    private Int16Matrix? _words;

    [Params(1, 1000)]
    public int Rows { get; set; }

    [Params(128, 784, 1536)]
    public int Dim { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _rows = RandomVectors.Block(ElementType.Float32, Rows, Dim, 1);
        _rotation = RandomVectors.Block(ElementType.Float32, Dim, Dim, 2);
        _product = new AlignedBuffer(4L * Rows * Dim);
        _words = new Int16Matrix(new ReadOnlySpan<float>(_rotation.First, Dim * Dim), Dim);
    }

    [Benchmark(Baseline = true)]
    public double Naive()
    {
        var a = (float*)_rows!.First;
        var b = (float*)_rotation!.First;
        var c = (float*)_product!.Pointer;
        for (int i = 0; i < Rows; i++)
        {
            for (int j = 0; j < Dim; j++)
            {
                float sum = 0;
                for (int d = 0; d < Dim; d++)
                {
                    sum += a[i * Dim + d] * b[j * Dim + d];
                }

                c[i * Dim + j] = sum;
            }
        }

        return c[0] + c[Rows * Dim - 1];
    }

    [Benchmark]
    public double Tiled()
    {
        var c = (float*)_product!.Pointer;
        MatrixProduct.MultiplyTransposed((float*)_rows!.First, Rows, (float*)_rotation!.First, Dim, Dim, c);
        return c[0] + c[Rows * Dim - 1];
    }

    /// <summary>In 16-bit integers, row after row: what a query is rotated by.</summary>
    [Benchmark]
    public double Words()
    {
        var c = (float*)_product!.Pointer;
        for (int i = 0; i < Rows; i++)
        {
            _words!.Multiply(new ReadOnlySpan<float>((float*)_rows!.First + ((long)i * Dim), Dim), new Span<float>(c + ((long)i * Dim), Dim));
        }

        return c[0] + c[Rows * Dim - 1];
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _rows?.Dispose();
        _rotation?.Dispose();
        _product?.Dispose();
        GC.SuppressFinalize(this);
    }
}
