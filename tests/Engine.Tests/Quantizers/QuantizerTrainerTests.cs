using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Quantizers;

public class QuantizerTrainerTests
{
    [Fact]
    public void The_defaults_are_valid_and_all_problems_are_told_at_once()
    {
        var wrong = new QuantizerOptions { M = 9, K = 17, Iterations = 0, Rotations = -1, TrainingVectors = 3 };

        Assert.Empty(new QuantizerOptions().Validate(16));
        IReadOnlyList<Problem> problems = wrong.Validate(8);

        Assert.Equal(
            ["M", "K", "Iterations", "Rotations", "TrainingVectors"], problems.Select(problem => problem.What.Split(' ')[^1]));
        Assert.All(problems, problem => Assert.Equal(ProblemCode.InvalidArgument, problem.Code));
    }

    [Fact]
    public void Refused_settings_are_thrown_together()
    {
        using VectorBlock vectors = TestVectors.Correlated(10, 8, 1);

        Problem problem = Refused(QuantizerKind.Pq, vectors, new QuantizerOptions { M = 9, K = 17 });

        Assert.Contains("M", problem.What);
        Assert.Contains("K", problem.What);
    }

    [Fact]
    public void No_vectors_and_an_unknown_kind_are_refused()
    {
        using VectorBlock none = VectorBlock.Allocate(0, 8, ElementType.UInt8);
        using VectorBlock some = VectorBlock.Allocate(5, 8, ElementType.UInt8);
        var options = new QuantizerOptions { M = 2 };

        Assert.Equal(ProblemCode.InvalidArgument, Refused(QuantizerKind.Pq, none, options).Code);
        Assert.Equal(ProblemCode.NotSupported, Refused(QuantizerKind.Rpq, some, options).Code);
    }

    [Theory]
    [InlineData(QuantizerKind.Pq)]
    [InlineData(QuantizerKind.Opq)]
    public void The_quantizer_is_what_was_asked_for(QuantizerKind kind)
    {
        using VectorBlock vectors = TestVectors.Correlated(50, 9, 2); // fewer vectors than codewords
        var options = new QuantizerOptions { M = 4, K = 256, Rotations = 2, Version = 12 };

        IQuantizer quantizer = QuantizerTrainer.Train(kind, vectors, Metric.InnerProduct, options, Work.Quiet);

        Assert.Equal((kind, Metric.InnerProduct, 9, 4, 256, 4, 12u),
            (quantizer.Kind, quantizer.Metric, quantizer.Dim, quantizer.M, quantizer.K, quantizer.CodeBytes, quantizer.Version));
        Assert.InRange(QuantizerError.MeanSquared(quantizer, vectors, Work.Quiet), 0, 1e-5); // a codeword for every part
    }

    [Fact]
    public void Progress_is_told_by_phase()
    {
        using VectorBlock vectors = TestVectors.Correlated(300, 8, 3);
        var phases = new Phases();

        var options = new QuantizerOptions { M = 2, K = 16, Rotations = 3 };
        QuantizerTrainer.Train(QuantizerKind.Opq, vectors, Metric.L2, options, new Work(2, phases));

        Assert.Equal(["read training vectors", "learn codebooks", "learn rotation", "refine codebooks"], phases.Seen.Distinct());
    }

    [Fact]
    public void The_error_is_the_mean_squared_distance_to_what_codes_decode_to()
    {
        float[] codewords = [.. Enumerable.Range(0, 16).Select(i => (float)(10 * i))];
        var quantizer = new ProductQuantizer(QuantizerKind.Pq, Metric.L2, 1, 1, 16, 1, codewords, []);
        using VectorBlock vectors = VectorBlock.Of([0, 1, 12, 153], 1);

        Assert.Equal((0 + 1 + 4 + 9) / 4.0, QuantizerError.MeanSquared(quantizer, vectors, Work.Quiet));
    }

    private static Problem Refused(QuantizerKind kind, VectorBlock vectors, QuantizerOptions options) =>
        Assert.Throws<ProblemException>(() => QuantizerTrainer.Train(kind, vectors, Metric.L2, options, Work.Quiet)).Problem;

    private sealed class Phases : IProgress<PhaseProgress>
    {
        public List<string> Seen { get; } = [];

        public void Report(PhaseProgress value)
        {
            lock (Seen)
            {
                Seen.Add(value.Phase);
            }
        }
    }
}
