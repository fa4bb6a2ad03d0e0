using System.Globalization;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Training;

/// <summary>The ranges of <see cref="RpqOptions"/>.</summary>
internal static class RpqRanges
{
    private const double Large = 1e6; // beyond it no weight or temperature means anything

    public static IReadOnlyList<Problem> Faults(RpqOptions options, int dim)
    {
        RpqLoss loss = options.Loss;
        LearningRate rate = options.LearningRate;
        AdamOptions adam = options.Optimiser;
        (string Name, double Value, double Min, double Max)[] ranges =
        [
            ("M", options.M, 1, dim),
            ("RotatedDim", options.RotatedDim == 0 ? dim : options.RotatedDim, options.M, dim),
            ("Start", (int)options.Start, 0, (int)RpqStart.Random),
            ("TrainingVectors", options.TrainingVectors, 256, 1 << 24),
            ("Sampling.HeldOut", options.Sampling.HeldOut, 1, 1 << 20),
            ("ScoreL", options.ScoreL, RoutingEvaluation.K, 4096),
            ("Loss.Reconstruction", loss.Reconstruction, 0, Large),
            ("Loss.Neighbourhood", loss.Neighbourhood, 0, Large),
            ("Loss.Routing", loss.Routing, 0, Large),
            ("Loss.Margin", loss.Margin, 0, Large),
            ("Loss.RoutingTemperature", loss.RoutingTemperature, 1e-6, Large),
            ("Loss.AnchorNoise", loss.AnchorNoise, 0, Large),
            ("Loss.ReconstructionOf", (int)loss.ReconstructionOf, 0, (int)ReconstructionOf.Vertices),
            ("Loss.SparseThreshold", loss.SparseThreshold, 1, double.PositiveInfinity),
            ("RecordWeights", (int)options.RecordWeights, 0, (int)RecordWeights.Margin),
            ("TargetEntropy", options.TargetEntropy ?? 1, 1e-3, 0.99 * Math.Log(options.K)),
            ("Optimiser.Nu1", adam.Nu1, 0, 1),
            ("Optimiser.Nu2", adam.Nu2, 0, 1),
            ("Optimiser.Beta1", adam.Beta1, 0, 0.999999),
            ("Optimiser.Beta2", adam.Beta2, 0, 0.999999),
            ("Optimiser.Epsilon", adam.Epsilon, 1e-30, 1),
            ("LearningRate.Peak", rate.Peak, 0, 1),
            ("LearningRate.Floor", rate.Floor, 0, rate.Peak),
            ("LearningRate.WarmUpSteps", rate.WarmUpSteps, 1, 1e9),
            ("LearningRate.Shape", (int)rate.Shape, 0, (int)LearningRateDecay.Cosine),
            ("LearningRate.Decay", rate.Decay, 0, Large),
            ("RotationRate", options.RotationRate, 0, 10),
            ("Rotation", (int)options.Rotation, 0, (int)RotationMap.Exponential),
            ("ClipNorm", options.ClipNorm, 1e-9, double.PositiveInfinity),
            ("BatchQueries", options.BatchQueries, 1, 1 << 16),
            ("RecordsPerQuery", options.RecordsPerQuery, 0, 4096),
            ("TripletsPerQuery", options.TripletsPerQuery, 0, 4096),
            ("Steps", options.Steps, 0, 10_000_000),
            ("StepsPerRefresh", options.StepsPerRefresh, 1, 1_000_000),
            ("Patience", options.Patience, 1, 1_000_000),
            ("Refinement.Isotropy", options.Refinement?.Isotropy ?? 1, 1e-6, Large),
            ("Refinement.Sweeps", options.Refinement?.Sweeps ?? 1, 1, 16),
        ];
        List<Problem> faults = [.. options.Sampling.Validate()];
        foreach ((string name, double value, double min, double max) in ranges)
        {
            if (!(value >= min && value <= max)) // a NaN is not in any range
            {
                faults.Add(Fault(name, Text(value), $"{Text(min)} .. {Text(max)}"));
            }
        }

        if (options.K is not (16 or 256))
        {
            faults.Add(Fault("K", Text(options.K), "16 or 256"));
        }

        return faults;
    }

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static Problem Fault(string name, string got, string expected) =>
        new(ProblemCode.InvalidArgument, $"RPQ setting {name}", got, expected, "Choose a value of that range.");
}
