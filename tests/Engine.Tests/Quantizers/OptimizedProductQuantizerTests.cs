using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Quantizers;

public class OptimizedProductQuantizerTests
{
    private static readonly QuantizerOptions Small = new() { M = 4, K = 16, Iterations = 10, Rotations = 10 };

    [Fact]
    public void On_correlated_vectors_a_rotation_lowers_the_error_by_more_than_a_fifth()
    {
        using VectorBlock vectors = TestVectors.Correlated(3000, 16, 1);

        double plain = Error(QuantizerKind.Pq, vectors, Small);
        double rotated = Error(QuantizerKind.Opq, vectors, Small);

        Assert.InRange(rotated, 0, 0.8 * plain);
    }

    [Fact]
    public void More_rotations_do_not_raise_the_error()
    {
        using VectorBlock vectors = TestVectors.Correlated(2000, 16, 2);

        int[] rounds = [0, 2, 8];
        double[] errors = [.. rounds.Select(round => Error(QuantizerKind.Opq, vectors, Small with { Rotations = round }))];

        Assert.True(errors[1] < errors[0] && errors[2] < errors[1], string.Join(' ', errors));
    }

    [Fact]
    public void The_rotation_is_orthonormal_even_where_components_are_always_zero_or_repeated()
    {
        const int Dim = 40;
        float[] rows = TestVectors.Normal(900, Dim, 3);
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = (i % Dim) switch { < 10 => 0f, 11 => rows[i - 1], _ => rows[i] };
        }

        using VectorBlock vectors = VectorBlock.Of(rows, Dim);

        var quantizer = (ProductQuantizer)QuantizerTrainer.Train(QuantizerKind.Opq, vectors, Metric.L2, Small with { M = 6 }, Work.Quiet);

        Assert.InRange(Rotations.Skewness(quantizer.Rotation, Dim, Work.Quiet), 0, 1e-4);
        Assert.NotEqual(Rotations.Identity(Dim), quantizer.Rotation.ToArray());
    }

    [Fact]
    public void Vectors_that_are_all_the_same_are_learned_without_error()
    {
        using VectorBlock vectors = VectorBlock.Of([.. Enumerable.Range(0, 800).Select(i => (float)(i % 8))], 8);

        Assert.InRange(Error(QuantizerKind.Opq, vectors, Small), 0, 1e-6);
    }

    [Theory]
    [InlineData(QuantizerKind.Pq, 2)]
    [InlineData(QuantizerKind.Opq, 2)]
    [InlineData(QuantizerKind.Opq, 3)]
    public void The_number_of_threads_changes_nothing(QuantizerKind kind, int threads)
    {
        using VectorBlock vectors = TestVectors.Correlated(3000, 70, 4);
        QuantizerOptions options = Small with { Rotations = 2, TrainingVectors = 2500 };

        byte[] one = QuantizerFile.Serialize(QuantizerTrainer.Train(kind, vectors, Metric.Cosine, options, Work.Quiet));
        byte[] many = QuantizerFile.Serialize(QuantizerTrainer.Train(kind, vectors, Metric.Cosine, options, new Work(threads)));

        Assert.Equal(one, many);
    }

    private static double Error(QuantizerKind kind, VectorBlock vectors, QuantizerOptions options) =>
        QuantizerError.MeanSquared(QuantizerTrainer.Train(kind, vectors, Metric.L2, options, Work.Quiet), vectors, new Work(2));
}
