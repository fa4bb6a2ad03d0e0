using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Storage;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Cluster;

/// <summary>What a quantizer may be learned from.</summary>
public sealed class TrainingInput
{
    /// <summary>The collection as it is.</summary>
    public required CollectionManifest Manifest { get; init; }

    /// <summary>Its shards.</summary>
    public required ShardMap Map { get; init; }

    /// <summary>Asks them, for who learns from more than vectors.</summary>
    public required IShardClient Client { get; init; }

    /// <summary>Vectors of all shards, in proportion to their sizes; <see cref="QuantizerMethod.SampleSize"/> or all there are.</summary>
    public required VectorBlock Sample { get; init; }

    /// <summary>Number of this training: the <see cref="IQuantizer.Version"/> of its result.</summary>
    public required uint Version { get; init; }

    /// <summary>Tells this collection and method from all others.</summary>
    public required string Identity { get; init; }

    /// <summary>Keeps what an interrupted training goes on from, until the collection has its codes.</summary>
    public required ICheckpointStore Checkpoints { get; init; }

    /// <summary>Told how learning goes, where it goes step by step.</summary>
    public Action<TrainingPoint> Learned { get; init; } = _ => { };

    /// <summary>Threads, progress, cancellation.</summary>
    public required Work Work { get; init; }
}

/// <summary>What was learned.</summary>
/// <param name="Quantizer">The quantizer.</param>
/// <param name="Rpq">How the training of RPQ went; null for other kinds.</param>
public sealed record LearnedQuantizer(IQuantizer Quantizer, RpqSummary? Rpq = null);

/// <summary>How a quantizer is learned. The same method and the same vectors give the same quantizer, on any number of threads.</summary>
public abstract record QuantizerMethod
{
    /// <summary>Kind of the result.</summary>
    public abstract QuantizerKind Kind { get; }

    /// <summary>Vectors to sample; fewer where the collection has fewer.</summary>
    public abstract int SampleSize { get; }

    /// <summary>Seed of the sample and of all that is random in the training.</summary>
    public abstract ulong Seed { get; }

    /// <summary>
    /// Everything beside the vectors and the version that the result depends on, as text: a training of the same text is taken over.
    /// </summary>
    public abstract string Fingerprint { get; }

    /// <summary>
    /// Everything that is wrong for vectors of <paramref name="dim"/> components under <paramref name="metric"/>; empty when nothing is.
    /// </summary>
    public abstract IReadOnlyList<Problem> Validate(int dim, Metric metric);

    /// <summary>Learns a quantizer; <see cref="Validate"/> found nothing wrong.</summary>
    /// <exception cref="ProblemException">The vectors are of no use.</exception>
    public abstract ValueTask<LearnedQuantizer> TrainAsync(TrainingInput input);
}

/// <summary>PQ and OPQ: learned from vectors alone, as a build does.</summary>
/// <param name="Trained">PQ or OPQ.</param>
/// <param name="Options">Settings; the version is the training's to give.</param>
public sealed record VectorQuantizerMethod(QuantizerKind Trained, QuantizerOptions Options) : QuantizerMethod
{
    /// <inheritdoc/>
    public override QuantizerKind Kind => Trained;

    /// <inheritdoc/>
    public override int SampleSize => Options.TrainingVectors;

    /// <inheritdoc/>
    public override ulong Seed => Options.Seed;

    /// <inheritdoc/>
    public override string Fingerprint => $"{Trained} {Options with { Version = 1 }}";

    /// <inheritdoc/>
    public override IReadOnlyList<Problem> Validate(int dim, Metric metric) => Trained is QuantizerKind.Pq or QuantizerKind.Opq
        ? Options.Validate(dim)
        : [new Problem(ProblemCode.NotSupported, "method", $"{Trained}", "Pq or Opq", "Choose one of them.")];

    /// <inheritdoc/>
    public override ValueTask<LearnedQuantizer> TrainAsync(TrainingInput input) => new(new LearnedQuantizer(
        QuantizerTrainer.Train(Trained, input.Sample, input.Manifest.Metric, Options with { Version = input.Version }, input.Work)));
}
