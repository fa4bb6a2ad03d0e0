using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Training;

/// <summary>The parameters that a training may start from; <see cref="RpqStart"/>.</summary>
internal static unsafe class RpqStarts
{
    private const int TemperatureRows = 512; // a mean over them is known to a few percent
    private const int RandomRows = 1000; // as in the authors' program

    /// <summary>One start or, where the better one is to be chosen, two.</summary>
    /// <param name="rows">Of the space of the training.</param>
    /// <param name="options">Settings.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    public static IReadOnlyList<RpqParameters> Make(FloatRows rows, RpqOptions options, Work work)
    {
        RpqParameters[] starts = options.Start switch
        {
            RpqStart.Opq => [Trained(QuantizerKind.Opq, rows, options, work)],
            RpqStart.Pq => [Trained(QuantizerKind.Pq, rows, options, work)],
            RpqStart.Better => [Trained(QuantizerKind.Opq, rows, options, work), Trained(QuantizerKind.Pq, rows, options, work)],
            RpqStart.Random => [AtRandom(rows, options, work)],
            _ => throw new ArgumentOutOfRangeException(nameof(options)),
        };
        foreach (RpqParameters start in options.TargetEntropy is null ? [] : starts)
        {
            using FloatRows few = FloatRows.Sample(BlockOf(rows), Metric.L2, TemperatureRows, options.Seed, work.Silent());
            TemperatureFit.Apply(start, few, options.TargetEntropy!.Value, work);
        }

        return starts;
    }

    private static RpqParameters Trained(QuantizerKind kind, FloatRows rows, RpqOptions options, Work work)
    {
        var settings = new QuantizerOptions { M = options.M, K = options.K, Seed = options.Seed, TrainingVectors = options.TrainingVectors };
        return RpqParameters.Of((ProductQuantizer)QuantizerTrainer.Train(kind, BlockOf(rows), Metric.L2, settings, work));
    }

    private static RpqParameters AtRandom(FloatRows rows, RpqOptions options, Work work)
    {
        int width = rows.Dim;
        float[] rotation = Rotations.Random(width, options.Seed, work);
        using FloatRows few = FloatRows.Sample(BlockOf(rows), Metric.L2, RandomRows, options.Seed, work.Silent());
        using var rotated = new FloatRows(few.Count, width);
        Rotations.Apply(rotation, few, rotated, work.Silent());
        var random = new Seeded(options.Seed, RandomStreams.Codewords);
        var codewords = new float[options.K * width];
        for (int m = 0; m < options.M; m++)
        {
            int offset = Subspaces.Offset(width, options.M, m), part = Subspaces.Width(width, options.M, m);
            for (int k = 0; k < options.K; k++)
            {
                var slice = new ReadOnlySpan<float>(rotated.Row(random.Next(rotated.Count)) + offset, part);
                slice.CopyTo(codewords.AsSpan((options.K * offset) + (k * part), part));
            }
        }

        return new RpqParameters(width, options.M, options.K, codewords, rotation, new float[options.M]);
    }

    /// <summary>Rows as a block, which is valid while they are.</summary>
    private static VectorBlock BlockOf(FloatRows rows) => new((byte*)rows.First, rows.Count, rows.Dim, ElementType.Float32, sizeof(float) * (long)rows.Dim, null);
}
