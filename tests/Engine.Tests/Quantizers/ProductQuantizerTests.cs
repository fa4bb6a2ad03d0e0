using FsCheck;
using FsCheck.Fluent;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Quantizers;

public unsafe class ProductQuantizerTests
{
    private const double AdcTolerance = 1e-4; // relative, of float32 sums

    [Theory]
    [InlineData(QuantizerKind.Pq, 16, 4, 256)]
    [InlineData(QuantizerKind.Opq, 16, 4, 16)]
    [InlineData(QuantizerKind.Pq, 13, 5, 16)]
    [InlineData(QuantizerKind.Opq, 11, 3, 256)]
    [InlineData(QuantizerKind.Pq, 3, 3, 256)]
    [InlineData(QuantizerKind.Pq, 9, 1, 256)]
    public void Every_code_number_is_the_dull_nearest_codeword(QuantizerKind kind, int dim, int m, int k)
    {
        using VectorBlock vectors = TestVectors.Correlated(600, dim, 1);
        ProductQuantizer quantizer = Train(kind, vectors, Metric.L2, m, k);

        byte[] codes = Encode(quantizer, vectors);

        for (int i = 0; i < vectors.Count; i++)
        {
            float[] z = Rotated(quantizer, TestVectors.Row(vectors, i));
            for (int s = 0; s < m; s++)
            {
                int width = Subspaces.Width(dim, m, s);
                float[] part = z[Subspaces.Offset(dim, m, s)..][..width];
                double[] all = [.. Enumerable.Range(0, k).Select(c =>
                    TestVectors.SquaredDistance(part, quantizer.Codebook(s).Slice(c * width, width)))];
                int number = Number(codes.AsSpan(i * quantizer.CodeBytes, quantizer.CodeBytes), s, k);
                Assert.InRange(all[number], 0, all.Min() * (1 + 1e-4) + 1e-6); // equal but for float32 rounding
            }
        }
    }

    [Theory]
    [InlineData(Metric.L2, 16)]
    [InlineData(Metric.L2, 256)]
    [InlineData(Metric.InnerProduct, 256)]
    [InlineData(Metric.Cosine, 16)]
    [InlineData(Metric.Cosine, 256)]
    public void A_table_adds_up_to_the_distance_of_what_the_code_decodes_to(Metric metric, int k)
    {
        Prop.ForAll(ArbMap.Default.ArbFor<PositiveInt>(), ArbMap.Default.ArbFor<byte>(), (seed, rows) =>
        {
            int dim = 1 + seed.Get % 23;
            int rotatedDim = rows % (dim + 1); // 0: no rotation
            int m = 1 + seed.Get / 23 % (rotatedDim == 0 ? dim : rotatedDim);
            using VectorBlock vectors = VectorBlock.Of(TestVectors.Normal(20, dim, (ulong)seed.Get), dim);
            var quantizer = RandomQuantizer(metric, dim, m, k, rotatedDim, (ulong)seed.Get);
            float[] query = TestVectors.Normal(1, dim, (ulong)seed.Get + 99);
            var table = new float[m * k];
            quantizer.BuildTable(query, table);
            byte[] codes = Encode(quantizer, vectors);
            var decoded = new float[dim];
            for (int i = 0; i < vectors.Count; i++)
            {
                ReadOnlySpan<byte> code = codes.AsSpan(i * quantizer.CodeBytes, quantizer.CodeBytes);
                double sum = 0;
                for (int s = 0; s < m; s++)
                {
                    sum += table[s * k + Number(code, s, k)];
                }

                quantizer.Decode(code, decoded);
                double expected = metric switch
                {
                    Metric.L2 => TestVectors.SquaredDistance(Rotated(quantizer, query), Rotated(quantizer, decoded)),
                    Metric.InnerProduct => -TestVectors.Dot(query, decoded),
                    _ => 1 - TestVectors.Dot(TestVectors.Normalised(query), decoded),
                };
                double scale = 1 + TestVectors.Dot(query, query) + TestVectors.Dot(decoded, decoded);
                Assert.InRange(Math.Abs(sum - expected), 0, AdcTolerance * scale);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Sixteen_codewords_pack_the_even_subspace_low_and_leave_the_last_high_nibble_zero()
    {
        // three subspaces of one component, codewords 0 .. 15 in each
        float[] codewords = [.. Enumerable.Range(0, 48).Select(i => (float)(i % 16))];
        var quantizer = new ProductQuantizer(QuantizerKind.Pq, Metric.L2, 3, 3, 16, 1, codewords, []);
        using VectorBlock vectors = VectorBlock.Of([1, 2, 3, 15, 0, 14], 3);

        Assert.Equal(2, quantizer.CodeBytes);
        Assert.Equal([0x21, 0x03, 0x0F, 0x0E], Encode(quantizer, vectors));
    }

    [Fact]
    public void Ties_go_to_the_lower_codeword()
    {
        float[] codewords = new float[16];
        codewords.AsSpan(3).Fill(10f); // 0 .. 2 at 0, 3 .. 15 at 10
        var quantizer = new ProductQuantizer(QuantizerKind.Pq, Metric.L2, 1, 1, 16, 1, codewords, []);
        using VectorBlock vectors = VectorBlock.Of([1, 9, 5], 1);

        Assert.Equal([0, 3, 0], Encode(quantizer, vectors));
    }

    [Theory]
    [InlineData(10, 3, new[] { 0, 4, 7, 10 })]
    [InlineData(8, 4, new[] { 0, 2, 4, 6, 8 })]
    [InlineData(5, 5, new[] { 0, 1, 2, 3, 4, 5 })]
    public void The_first_subspaces_are_one_longer_where_dim_is_no_multiple_of_M(int dim, int m, int[] offsets)
    {
        Assert.Equal(offsets, Enumerable.Range(0, m + 1).Select(i => Subspaces.Offset(dim, m, i)));
        Assert.All(Enumerable.Range(0, m), i => Assert.Equal(offsets[i + 1] - offsets[i], Subspaces.Width(dim, m, i)));
    }

    [Theory]
    [InlineData(ElementType.UInt8)]
    [InlineData(ElementType.Int8)]
    [InlineData(ElementType.Float16)]
    public void The_element_type_does_not_change_codes(ElementType type)
    {
        using VectorBlock floats = VectorBlock.Of(TestVectors.Whole(700, 24, 100, 3), 24);
        using VectorBlock others = floats.As(type);
        ProductQuantizer quantizer = Train(QuantizerKind.Opq, floats, Metric.Cosine, 6, 16);

        Assert.Equal(Encode(quantizer, floats), Encode(quantizer, others));
    }

    [Fact]
    public void Under_cosine_the_length_of_vector_and_query_does_not_matter_and_zero_is_encoded()
    {
        using VectorBlock vectors = VectorBlock.Of([1, 2, 3, 4, 10, 20, 30, 40, 0, 0, 0, 0], 4);
        ProductQuantizer quantizer = RandomQuantizer(Metric.Cosine, 4, 2, 16, rotatedDim: 4, 4);

        byte[] codes = Encode(quantizer, vectors);
        var table = new float[32];
        var scaled = new float[32];
        quantizer.BuildTable([1, 2, 3, 4], table);
        quantizer.BuildTable([10, 20, 30, 40], scaled);

        Assert.Equal(codes[0], codes[1]);
        Assert.All(table.Zip(scaled), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    [Fact]
    public void A_part_of_the_vectors_gets_the_same_codes_as_all_of_them()
    {
        using VectorBlock vectors = TestVectors.Correlated(1000, 10, 5);
        ProductQuantizer quantizer = Train(QuantizerKind.Opq, vectors, Metric.L2, 5, 16);
        byte[] all = Encode(quantizer, vectors);
        byte[] part = new byte[301 * quantizer.CodeBytes];

        fixed (byte* target = part)
        {
            quantizer.Encode(vectors, 257, 301, target);
        }

        Assert.Equal(all.AsSpan(257 * quantizer.CodeBytes, part.Length).ToArray(), part);
    }

    internal static ProductQuantizer Train(QuantizerKind kind, VectorBlock vectors, Metric metric, int m, int k) =>
        (ProductQuantizer)QuantizerTrainer.Train(
            kind, vectors, metric, new QuantizerOptions { M = m, K = k, Iterations = 5, Rotations = 3 }, Work.Quiet);

    /// <summary>A quantizer of random codewords; <paramref name="rotatedDim"/> rows of a random rotation, or none where it is 0.</summary>
    internal static ProductQuantizer RandomQuantizer(Metric metric, int dim, int m, int k, int rotatedDim, ulong seed)
    {
        float[] rotation = rotatedDim == 0 ? [] : Rotations.PolarFactor(TestVectors.Normal(dim, dim, seed + 1), dim, Work.Quiet)![..(rotatedDim * dim)];
        int width = rotatedDim == 0 ? dim : rotatedDim;
        return new ProductQuantizer(QuantizerKind.Rpq, metric, dim, m, k, 7, TestVectors.Normal(k, width, seed), rotation);
    }

    private static byte[] Encode(ProductQuantizer quantizer, VectorBlock vectors)
    {
        var codes = new byte[vectors.Count * quantizer.CodeBytes];
        fixed (byte* target = codes)
        {
            quantizer.Encode(vectors, 0, (int)vectors.Count, target);
        }

        return codes;
    }

    internal static int Number(ReadOnlySpan<byte> code, int m, int k) =>
        k == 256 ? code[m] : m % 2 == 0 ? code[m / 2] % 16 : code[m / 2] / 16;

    internal static float[] Rotated(ProductQuantizer quantizer, float[] x)
    {
        int dim = x.Length;
        float[] rotation = quantizer.Rotation.ToArray();
        return rotation.Length == 0
            ? x
            : [.. Enumerable.Range(0, rotation.Length / dim).Select(j => (float)TestVectors.Dot(rotation.AsSpan(j * dim, dim), x))];
    }
}
