using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Quantizers;

public unsafe class RabitqCoderTests
{
    [Theory]
    [InlineData(Metric.L2, 1)]
    [InlineData(Metric.L2, 4)]
    [InlineData(Metric.InnerProduct, 1)]
    [InlineData(Metric.Cosine, 1)]
    [InlineData(Metric.Cosine, 4)]
    public void Over_random_rotations_the_estimate_is_the_distance_on_average(Metric metric, int bits)
    {
        const int Dim = 10;
        const int Draws = 3000;
        float[] x = TestVectors.Normal(1, Dim, 1);
        float[] query = [.. TestVectors.Normal(1, Dim, 2).Zip(x, (noise, near) => near + (0.5f * noise))]; // y and x alone would be off: r y is large
        float[] centre = [.. TestVectors.Normal(1, Dim, 3).Select(value => 0.2f * value)];
        using VectorBlock vectors = VectorBlock.Of(x, Dim);

        var estimates = new double[Draws];
        for (int i = 0; i < Draws; i++)
        {
            var coder = new RabitqCoder(metric, bits, centre, Rotations.Random(Dim, (ulong)i, Work.Quiet));
            estimates[i] = Walk(coder, vectors, metric, query)[0].Distance;
        }

        double mean = estimates.Average();
        double deviation = Math.Sqrt(estimates.Sum(e => (e - mean) * (e - mean)) / (Draws - 1));
        Assert.InRange(deviation, 1e-4, double.MaxValue); // it is an estimate
        Assert.InRange(mean - Exact(metric, x, query), -4 * deviation / Math.Sqrt(Draws), 4 * deviation / Math.Sqrt(Draws));
    }

    [Theory]
    [InlineData(Metric.L2, 1, 16)]
    [InlineData(Metric.L2, 4, 16)]
    [InlineData(Metric.InnerProduct, 1, 13)]
    [InlineData(Metric.InnerProduct, 4, 13)]
    [InlineData(Metric.Cosine, 1, 7)]
    [InlineData(Metric.Cosine, 4, 1)]
    public void A_walk_gives_what_the_formula_of_the_paper_gives(Metric metric, int bits, int dim)
    {
        const int Count = 40;
        using VectorBlock vectors = VectorBlock.Of(TestVectors.Normal(Count, dim, 5), dim);
        float[] query = TestVectors.Normal(1, dim, 6);
        float[] centre = [.. TestVectors.Normal(1, dim, 7).Select(value => 0.3f * value)];
        float[] rotation = Rotations.Random(dim, 8, Work.Quiet);
        var coder = new RabitqCoder(metric, bits, centre, rotation);
        byte[] codes = Encode(coder, vectors);
        Assert.Equal(((((dim * bits) + 3) / 4) + 1) / 2 + 8, coder.CodeBytes);

        foreach (Neighbour found in Walk(coder, vectors, metric, query))
        {
            double[] r = Rotated(rotation, Unit(metric, TestVectors.Row(vectors, found.Id)), centre);
            int[] numbers = Numbers(codes.AsSpan((int)found.Id * coder.CodeBytes), dim, bits);
            Assert.Equal(bits == 1 ? [.. r.Select(component => component > 0 ? 1 : 0)] : numbers, numbers);
            double[] y = [.. numbers.Select(number => number - (((1 << bits) - 1) / 2.0))];
            double ratio = Dot(r, r) / Dot(r, y);
            double expected = metric switch
            {
                Metric.L2 => Dot(r, r) - (2 * ratio * Dot(y, Rotated(rotation, query, centre))) + TestVectors.SquaredDistance(query, centre),
                _ => (metric == Metric.Cosine ? 1 : 0) - TestVectors.Dot(Unit(metric, query), centre)
                    - (ratio * Dot(y, Rotated(rotation, Unit(metric, query), new float[dim]))),
            };
            Assert.InRange(found.Distance - expected, -1e-3 * (1 + Math.Abs(expected)), 1e-3 * (1 + Math.Abs(expected)));
        }
    }

    [Theory]
    [InlineData(1, 0.5)]
    [InlineData(4, 0.03)]
    public void More_bits_err_less(int bits, double most)
    {
        const int Dim = 32;
        using VectorBlock vectors = VectorBlock.Of(TestVectors.Normal(200, Dim, 1), Dim);
        float[] query = TestVectors.Normal(1, Dim, 2);
        RabitqCoder coder = RabitqCoder.Make(vectors, Metric.L2, bits, 3, Work.Quiet);

        double[] errors = [.. Walk(coder, vectors, Metric.L2, query)
            .Select(found => found.Distance - Exact(Metric.L2, TestVectors.Row(vectors, found.Id), query))];

        Assert.InRange(Math.Sqrt(errors.Average(e => e * e)) / (2 * Dim), most / 20, most); // of the mean distance
    }

    [Fact]
    public void The_centre_itself_has_no_error()
    {
        using VectorBlock vectors = VectorBlock.Of([1, 2, 3, 1, 2, 3], 3);
        RabitqCoder coder = RabitqCoder.Make(vectors, Metric.L2, 1, 1, Work.Quiet);
        Assert.All(Walk(coder, vectors, Metric.L2, [1, 2, 5]), found => Assert.Equal(4, found.Distance, 1e-5));
    }

    [Fact]
    public void The_seed_decides_the_codes_and_the_threads_do_not()
    {
        using VectorBlock vectors = TestVectors.Correlated(300, 20, 1);
        byte[] codes = Encode(RabitqCoder.Make(vectors, Metric.L2, 4, 1, Work.Quiet), vectors);
        Assert.Equal(codes, Encode(RabitqCoder.Make(vectors, Metric.L2, 4, 1, new Work(3)), vectors));
        Assert.NotEqual(codes, Encode(RabitqCoder.Make(vectors, Metric.L2, 4, 2, Work.Quiet), vectors));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(40)]
    public void A_random_rotation_is_orthonormal(int dim) =>
        Assert.InRange(Rotations.Skewness(Rotations.Random(dim, 1, Work.Quiet), dim, Work.Quiet), 0, 1e-4);

    /// <summary>All vectors by the distance of their codes: a walk of a graph in which all are on one path.</summary>
    private static Neighbour[] Walk(RabitqCoder coder, VectorBlock vectors, Metric metric, float[] query)
    {
        int count = (int)vectors.Count;
        using Graph graph = Graph.Allocate((uint)count, 1, 0);
        for (uint v = 0; v + 1 < count; v++)
        {
            graph.SetNeighbours(v, [v + 1]);
        }

        using var scratch = new SearchScratch();
        using var bound = new Query(vectors.Dim, vectors.Type, metric);
        Assert.Null(bound.Set(query));
        var found = new Neighbour[count];
        fixed (byte* codes = Encode(coder, vectors))
        {
            var view = new SegmentView { Vectors = vectors, Metric = metric, Graph = graph, Codes = codes, Coder = coder };
            Assert.Equal(count, Searcher.Search(view, bound, new SearchParameters(count, count, SearchMode.Codes), default, scratch, found, out _));
        }

        return found;
    }

    private static byte[] Encode(RabitqCoder coder, VectorBlock vectors)
    {
        var codes = new byte[vectors.Count * coder.CodeBytes];
        fixed (byte* target = codes)
        {
            coder.Encode(vectors, 0, (int)vectors.Count, target);
        }

        return codes;
    }

    private static int[] Numbers(ReadOnlySpan<byte> code, int dim, int bits)
    {
        var numbers = new int[dim];
        for (int d = 0; d < dim; d++)
        {
            numbers[d] = (code[d * bits / 8] >> (d * bits % 8)) & ((1 << bits) - 1);
        }

        return numbers;
    }

    /// <summary>R (x - c) in double precision.</summary>
    private static double[] Rotated(float[] rotation, float[] x, float[] centre) =>
    [
        .. Enumerable.Range(0, x.Length).Select(j =>
            Enumerable.Range(0, x.Length).Sum(d => (double)rotation[(j * x.Length) + d] * ((double)x[d] - centre[d]))),
    ];

    private static double Dot(double[] x, double[] y) => x.Zip(y, (a, b) => a * b).Sum();

    private static float[] Unit(Metric metric, float[] x) => metric == Metric.Cosine ? TestVectors.Normalised(x) : x;

    private static double Exact(Metric metric, float[] x, float[] query) => metric switch
    {
        Metric.L2 => TestVectors.SquaredDistance(x, query),
        Metric.InnerProduct => -TestVectors.Dot(x, query),
        _ => 1 - TestVectors.Dot(TestVectors.Normalised(x), TestVectors.Normalised(query)),
    };
}
