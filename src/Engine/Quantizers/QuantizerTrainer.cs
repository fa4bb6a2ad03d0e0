using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Quantizers;

/// <summary>Learns quantizers from vectors alone: PQ and OPQ. (RPQ also needs a graph and its searches.)</summary>
public static class QuantizerTrainer
{
    /// <summary>Learns a quantizer of <paramref name="kind"/> from <paramref name="sample"/>.</summary>
    /// <param name="kind">PQ or OPQ.</param>
    /// <param name="sample">Vectors of the collection, in any order; more than the options allow are sampled at random.</param>
    /// <param name="metric">Metric of the collection.</param>
    /// <param name="options">Settings.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    /// <exception cref="ProblemException">
    /// Settings out of range (all of them in one text), no vectors, a component that is not finite, or RPQ.
    /// </exception>
    public static IQuantizer Train(QuantizerKind kind, VectorBlock sample, Metric metric, QuantizerOptions options, Work work)
    {
        Refuse(kind, sample, options);
        using FloatRows rows = FloatRows.Sample(sample, metric, options.TrainingVectors, options.Seed, work);
        (float[] codewords, float[] rotation) = kind == QuantizerKind.Opq
            ? OptimizedProductQuantizer.Train(rows, options, work)
            : (Codebooks.Train(rows, options, work), []);
        return new ProductQuantizer(kind, metric, sample.Dim, options.M, options.K, options.Version, codewords, rotation);
    }

    private static void Refuse(QuantizerKind kind, VectorBlock sample, QuantizerOptions options)
    {
        if (kind is not (QuantizerKind.Pq or QuantizerKind.Opq))
        {
            throw new ProblemException(new Problem(
                ProblemCode.NotSupported, "quantizer", $"{kind}", "Pq or Opq", "Train this kind on a built collection."));
        }

        if (Problem.Join(options.Validate(sample.Dim)) is { } problem)
        {
            throw new ProblemException(problem);
        }

        if (sample.Count == 0)
        {
            throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "training vectors", "none", "at least one", "Add vectors before training."));
        }
    }
}
