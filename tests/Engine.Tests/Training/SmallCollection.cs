using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Graphs;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Training;

/// <summary>A shard with a real graph and codes, small enough to check everything about it.</summary>
internal sealed unsafe class SmallCollection : IDisposable
{
    private readonly VectorBlock _vectors;
    private readonly Graph _graph;
    private readonly List<AlignedBuffer> _codes = [];

    public SmallCollection(VectorBlock vectors, Metric metric = Metric.L2, int m = 6, int r = 16)
    {
        _vectors = vectors;
        _graph = GraphBuilder.Build(vectors, metric, new GraphOptions { R = r, L = 40, KnnK = 24 }, new Work(2));
        Metric = metric;
        View = WithCodes(Train(m));
    }

    public SmallCollection(int count = 1500, Metric metric = Metric.L2, ElementType type = ElementType.UInt8, ulong seed = 11)
        : this(Sets.Clustered(count, 24, type, seed), metric)
    {
    }

    public Metric Metric { get; }

    public SegmentView View { get; }

    public IQuantizer Train(int m) =>
        QuantizerTrainer.Train(QuantizerKind.Pq, _vectors, Metric, new QuantizerOptions { M = m, Iterations = 5, Version = 3 }, new Work(2));

    public SegmentView WithCodes(IQuantizer quantizer)
    {
        var codes = new AlignedBuffer(_vectors.Count * quantizer.CodeBytes);
        _codes.Add(codes);
        quantizer.Encode(_vectors, 0, (int)_vectors.Count, codes.Pointer);
        return new SegmentView { Vectors = _vectors, Metric = Metric, Graph = _graph, Codes = codes.Pointer, Quantizer = quantizer };
    }

    /// <summary>Queries that are the given vertices.</summary>
    public QuerySet Of(params uint[] vertices) => new(_vectors.Gather([.. vertices.Select(v => (long)v)]), vertices);

    public void Dispose()
    {
        _codes.ForEach(codes => codes.Dispose());
        _graph.Dispose();
        _vectors.Dispose();
    }
}

/// <summary>A sample as nested lists of vertex ids of the shard, for asserting.</summary>
internal static class SampleReading
{
    public static uint[][] Candidates(this RoutingSample sample) => Rows(sample, sample.CandidateStarts, sample.Candidates);

    public static uint[][] Positives(this RoutingSample sample) => Rows(sample, sample.PositiveStarts, sample.Positives);

    public static uint[][] Negatives(this RoutingSample sample) => Rows(sample, sample.NegativeStarts, sample.Negatives);

    public static uint[][] Right(this RoutingSample sample) =>
        [.. Enumerable.Range(0, sample.RecordCount).Select(record => Enumerable.Range(sample.CandidateStarts[record], sample.CandidateStarts[record + 1] - sample.CandidateStarts[record])
            .Where(i => sample.IsRight[i] == 1).Select(i => sample.Vertices[sample.Candidates[i]]).ToArray())];

    public static byte[] Bytes(this RoutingSample sample)
    {
        using var stream = new MemoryStream();
        RoutingSampleFile.Write(sample, stream);
        return stream.ToArray();
    }

    private static uint[][] Rows(RoutingSample sample, int[] starts, int[] rows) =>
        [.. Enumerable.Range(0, starts.Length - 1).Select(i => rows[starts[i]..starts[i + 1]].Select(row => sample.Vertices[row]).ToArray())];
}
