using BenchmarkDotNet.Attributes;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Training;

namespace Signpost.Bench.Kernels;

/// <summary>One step of RPQ: the joint loss of a batch and its gradient.</summary>
public unsafe class RpqStepBenchmark : IDisposable
{
    private const int K = 256;

    private RpqParameters? _parameters;
    private RpqBatch? _batch;
    private RpqModel? _model;
    private Work? _work;

    [Params(128)]
    public int Dim { get; set; } = 128;

    [Params(16)]
    public int M { get; set; } = 16;

    [Params(256)]
    public int Anchors { get; set; } = 256;

    [Params(10_000)]
    public int Vertices { get; set; } = 10_000;

    /// <summary>Candidates of each of two records of an anchor.</summary>
    [Params(48)]
    public int Candidates { get; set; } = 48;

    [Params(1, 2)]
    public int Threads { get; set; } = 1;

    [Params(false, true)]
    public bool Noise { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Seeded(1, 1);
        int records = 2 * Anchors;
        _work = new Work(Threads);
        _model = new RpqModel(Dim, M, K);
        _batch = new RpqBatch
        {
            Anchors = Rows(Anchors, 2),
            Vertices = Rows(Vertices, 3),
            Triplets = [.. Enumerable.Range(0, Anchors).Select(i => new RpqTriplet(i, random.Next(Vertices), random.Next(Vertices)))],
            Records = new RpqRecords
            {
                Anchors = [.. Enumerable.Range(0, records).Select(i => i / 2)],
                Starts = [.. Enumerable.Range(0, records + 1).Select(i => i * Candidates)],
                Candidates = [.. Enumerable.Range(0, records * Candidates).Select(_ => random.Next(Vertices))],
                Acceptable = [.. Enumerable.Range(0, records * Candidates).Select(i => i % Candidates == 0)],
                Weights = [.. Enumerable.Repeat(1f, records)],
            },
        };
        _parameters = new RpqParameters(Dim, M, K, Codewords(), Rotations.Identity(Dim), new float[M]);
        using FloatRows sample = Rows(256, 4);
        TemperatureFit.Apply(_parameters, sample, 0.5, _work);
    }

    [Benchmark]
    public double Step() => _model!.Step(_parameters!, _batch!, new RpqLoss { AnchorNoise = Noise ? 1 : 0 }, _work!).Total;

    [GlobalCleanup]
    public void Dispose()
    {
        _model?.Dispose();
        _batch?.Anchors.Dispose();
        _batch?.Vertices.Dispose();
        GC.SuppressFinalize(this);
    }

    // Normal vectors of mean length 1.
    private FloatRows Rows(int count, ulong stream)
    {
        var random = new Seeded(1, stream);
        var rows = new FloatRows(count, Dim);
        for (int i = 0; i < count * Dim; i++)
        {
            rows.First[i] = (float)(random.NextGaussian() / Math.Sqrt(Dim));
        }

        return rows;
    }

    // Of random rows, cut into subspaces.
    private float[] Codewords()
    {
        using FloatRows rows = Rows(K, 5);
        return new ReadOnlySpan<float>(rows.First, K * Dim).ToArray();
    }
}
