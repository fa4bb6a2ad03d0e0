using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Training;

/// <summary>Small trainings of RPQ.</summary>
internal static class RpqRuns
{
    /// <summary>Enough to learn something from a few thousand vectors.</summary>
    public static readonly RpqOptions Small = RpqOptions.Best with
    {
        M = 4,
        K = 16,
        Start = RpqStart.Opq,
        Loss = RpqOptions.Best.Loss with { RoutingTemperature = 0.05 },
        TrainingVectors = 2000,
        Sampling = new SamplingOptions { Queries = 512, HeldOut = 200, L = 40, Top = 20, New = 16, CandidatesPerHop = 16, Negatives = 30 },
        ScoreL = 20,
        BatchQueries = 64,
        Steps = 200,
        StepsPerRefresh = 50,
        LearningRate = RpqOptions.Best.LearningRate with { Peak = 1e-2, WarmUpSteps = 10 },
    };

    /// <summary>Enough to go through every part of a training.</summary>
    public static readonly RpqOptions Tiny = Small with
    {
        TrainingVectors = 256,
        Sampling = Small.Sampling with { Queries = 128, HeldOut = 60 },
        BatchQueries = 16,
        Steps = 24,
        StepsPerRefresh = 8,
    };

    public static (RoutingProductQuantizer Quantizer, RpqSummary Summary) Train(
        LocalShards shards, RpqOptions options, ICheckpointStore? checkpoints = null, Work? work = null, Metric metric = Metric.L2, string identity = "test")
    {
        var task = new RpqTask
        {
            Options = options,
            Sample = shards.Views[0].Vectors,
            Metric = metric,
            Version = 7,
            Source = shards,
            Checkpoints = checkpoints ?? new MemoryCheckpoint(),
            Identity = identity,
            Work = work ?? new Work(2),
        };
        return RpqTrainer.TrainAsync(task).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>What is in a checkpoint, as it was then.</summary>
    public static RpqState StateOf(MemoryCheckpoint checkpoint, RpqOptions options, string identity = "test")
    {
        RpqOptions seeded = options with { Sampling = options.Sampling with { Seed = options.Seed } };
        return RpqCheckpoint.Parse(checkpoint.Bytes, seeded, LocalShards.Dim, RpqCheckpoint.Fingerprint(seeded, LocalShards.Dim, identity));
    }

    /// <summary>The quantizer that a checkpoint has come to, best or not.</summary>
    public static RoutingProductQuantizer Last(MemoryCheckpoint checkpoint, RpqOptions options)
    {
        RpqState state = StateOf(checkpoint, options);
        return state.Space.ToQuantizer(state.Parameters, Metric.L2, 7, options.Refinement, Work.Quiet);
    }

    public static string Bytes(IQuantizer quantizer) => Convert.ToHexString(QuantizerFile.Serialize(quantizer));
}
