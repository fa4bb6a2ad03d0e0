using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Quantizers;

public unsafe class RoutingProductQuantizerTests
{
    private const int Most = 7;

    [Theory]
    [InlineData(Metric.L2, 256, 13, 0, 5)]
    [InlineData(Metric.L2, 16, 12, 9, 3)]
    [InlineData(Metric.InnerProduct, 256, 12, 12, 4)]
    [InlineData(Metric.Cosine, 16, 11, 8, 3)]
    [InlineData(Metric.L2, 16, 70, 0, 2)] // so wide that neighbours are gone through one by one
    [InlineData(Metric.InnerProduct, 16, 67, 66, 2)] // one subspace so wide, one not
    public void Every_choice_is_that_of_the_dull_descent(Metric metric, int k, int dim, int rotatedDim, int m)
    {
        using VectorBlock vectors = VectorBlock.Of(TestVectors.Normal(60, dim, 5), dim);
        var refinement = new Refinement(0.3f, 2);
        var quantizer = new RoutingProductQuantizer(ProductQuantizerTests.RandomQuantizer(metric, dim, m, k, rotatedDim, 9), refinement);

        byte[] codes = Encode(quantizer, vectors);
        byte[] refined = Refine(quantizer, vectors, codes, Ring(vectors));

        Assert.NotEqual(codes, refined);
        for (int v = 0; v < vectors.Count; v++)
        {
            int[] expected = Numbers(quantizer, codes, v);
            DullDescent(quantizer, vectors, v, expected);

            // A choice between codewords whose costs agree to float32 rounding may differ: then costs are compared instead.
            int[] chosen = Numbers(quantizer, refined, v);
            double best = Cost(quantizer, vectors, v, expected);
            Assert.InRange(Cost(quantizer, vectors, v, chosen), 0, best * (1 + 1e-4));
        }
    }

    [Fact]
    public void Refined_codes_give_neighbours_better_distances_at_a_larger_error_of_the_vectors()
    {
        const int Dim = 24;
        using VectorBlock vectors = TestVectors.Correlated(800, Dim, 3);
        ProductQuantizer trained = ProductQuantizerTests.Train(QuantizerKind.Pq, vectors, Metric.L2, 4, 16);
        var parameters = new ProductQuantizer(QuantizerKind.Rpq, Metric.L2, Dim, 4, 16, 1, trained.Codewords, []);
        var quantizer = new RoutingProductQuantizer(parameters, new Refinement());
        byte[] codes = Encode(quantizer, vectors);

        byte[] refined = Refine(quantizer, vectors, codes, Ring(vectors));

        (double distances, double own) before = Errors(quantizer, vectors, codes);
        (double distances, double own) after = Errors(quantizer, vectors, refined);
        Assert.InRange(after.distances, 0, 0.8 * before.distances);
        Assert.InRange(after.own, before.own, 2 * before.own);
    }

    [Fact]
    public void A_part_is_refined_as_it_is_within_the_whole()
    {
        using VectorBlock vectors = TestVectors.Correlated(100, 10, 5);
        var quantizer = new RoutingProductQuantizer(ProductQuantizerTests.RandomQuantizer(Metric.L2, 10, 3, 16, 0, 2), new Refinement());
        byte[] codes = Encode(quantizer, vectors);
        byte[] whole = Refine(quantizer, vectors, codes, Ring(vectors));
        byte[] part = codes[(31 * 2)..(58 * 2)];

        fixed (byte* target = part)
        {
            quantizer.Refine(vectors, 31, 27, Ring(vectors), Most, target);
        }

        Assert.Equal(whole[(31 * 2)..(58 * 2)], part);
    }

    [Fact]
    public void A_vertex_without_neighbours_or_among_copies_of_itself_keeps_its_code()
    {
        float[] rows = [.. Enumerable.Repeat(TestVectors.Normal(1, 8, 1), 5).SelectMany(row => row)];
        using VectorBlock vectors = VectorBlock.Of(rows, 8);
        var quantizer = new RoutingProductQuantizer(ProductQuantizerTests.RandomQuantizer(Metric.L2, 8, 2, 16, 0, 2), new Refinement());
        byte[] codes = Encode(quantizer, vectors);

        Assert.Equal(codes, Refine(quantizer, vectors, codes, (_, _) => 0));
        Assert.Equal(codes, Refine(quantizer, vectors, codes, Ring(vectors)));
    }

    [Fact]
    public void Without_a_refinement_codes_stay()
    {
        using VectorBlock vectors = TestVectors.Correlated(50, 8, 5);
        var quantizer = new RoutingProductQuantizer(ProductQuantizerTests.RandomQuantizer(Metric.L2, 8, 2, 16, 0, 2), null);
        byte[] codes = Encode(quantizer, vectors);

        Assert.Equal(codes, Refine(quantizer, vectors, codes, Ring(vectors)));
    }

    /// <summary>Vertex v's neighbours are 1 + v % 7 following ones, so that tiles are filled in every way.</summary>
    private static NeighboursOf Ring(VectorBlock vectors) => (vertex, ids) =>
    {
        int count = 1 + ((int)vertex % Most);
        for (int i = 0; i < count; i++)
        {
            ids[i] = (vertex + (uint)i + 1) % (uint)vectors.Count;
        }

        return count;
    };

    private static byte[] Encode(RoutingProductQuantizer quantizer, VectorBlock vectors)
    {
        var codes = new byte[vectors.Count * quantizer.CodeBytes];
        fixed (byte* target = codes)
        {
            quantizer.Encode(vectors, 0, (int)vectors.Count, target);
        }

        return codes;
    }

    private static byte[] Refine(RoutingProductQuantizer quantizer, VectorBlock vectors, byte[] codes, NeighboursOf neighbours)
    {
        byte[] refined = [.. codes];
        fixed (byte* target = refined)
        {
            quantizer.Refine(vectors, 0, (int)vectors.Count, neighbours, Most, target);
        }

        return refined;
    }

    private static int[] Numbers(RoutingProductQuantizer quantizer, byte[] codes, int v) =>
        [.. Enumerable.Range(0, quantizer.M).Select(m =>
            ProductQuantizerTests.Number(codes.AsSpan(v * quantizer.CodeBytes, quantizer.CodeBytes), m, quantizer.K))];

    private static void DullDescent(RoutingProductQuantizer quantizer, VectorBlock vectors, int v, int[] code)
    {
        for (int step = 0; step < quantizer.Refinement!.Sweeps * quantizer.M; step++)
        {
            int m = step % quantizer.M;
            double[] costs = [.. Enumerable.Range(0, quantizer.K).Select(k =>
            {
                code[m] = k;
                return Cost(quantizer, vectors, v, code);
            })];
            code[m] = Array.IndexOf(costs, costs.Min());
        }
    }

    /// <summary>J of <see cref="CodeRefiner"/>, as it is written there.</summary>
    private static double Cost(RoutingProductQuantizer quantizer, VectorBlock vectors, int v, int[] code)
    {
        (double distances, double own) = Parts(quantizer, vectors, v, code);
        return distances + (quantizer.Refinement!.Isotropy * own);
    }

    private static (double Distances, double Own) Errors(RoutingProductQuantizer quantizer, VectorBlock vectors, byte[] codes)
    {
        var parts = Enumerable.Range(0, (int)vectors.Count).Select(v => Parts(quantizer, vectors, v, Numbers(quantizer, codes, v))).ToArray();
        return (parts.Sum(p => p.Distances), parts.Sum(p => p.Own));
    }

    private static (double Distances, double Own) Parts(RoutingProductQuantizer quantizer, VectorBlock vectors, int v, int[] code)
    {
        float[] own = Row(quantizer, vectors, v);
        float[] decoded = [.. code.SelectMany((k, m) =>
        {
            ReadOnlySpan<float> codebook = quantizer.Parameters.Codebook(m);
            int width = codebook.Length / quantizer.K;
            return codebook.Slice(k * width, width).ToArray();
        })];
        Span<uint> ids = stackalloc uint[Most];
        int count = Ring(vectors)((uint)v, ids);
        double errors = 0, scale = 0;
        foreach (uint u in ids[..count])
        {
            float[] other = Row(quantizer, vectors, (int)u);
            float[] rotated = Rotated(quantizer, vectors, (int)u);

            // What a rotation leaves out of the query is in every distance from it, and cannot matter.
            double leftOut = TestVectors.Dot(other, other) - TestVectors.Dot(rotated, rotated);
            double error = quantizer.Metric == Metric.L2
                ? TestVectors.SquaredDistance(rotated, decoded) + leftOut - TestVectors.SquaredDistance(other, own)
                : 2 * (TestVectors.Dot(other, own) - TestVectors.Dot(rotated, decoded));
            errors += error * error;
            scale += TestVectors.SquaredDistance(other, own);
        }

        return (errors / scale, TestVectors.SquaredDistance(Rotated(quantizer, vectors, v), decoded));
    }

    private static float[] Rotated(RoutingProductQuantizer quantizer, VectorBlock vectors, int v) =>
        ProductQuantizerTests.Rotated(quantizer.Parameters, Row(quantizer, vectors, v));

    private static float[] Row(RoutingProductQuantizer quantizer, VectorBlock vectors, int v)
    {
        float[] row = TestVectors.Row(vectors, v);
        return quantizer.Metric == Metric.Cosine ? TestVectors.Normalised(row) : row;
    }
}
