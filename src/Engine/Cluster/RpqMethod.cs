using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Cluster;

/// <summary>RPQ: learned from the walks of every shard over its graph.</summary>
/// <param name="Options">Settings.</param>
public sealed record RpqMethod(RpqOptions Options) : QuantizerMethod
{
    private const int TrainerVersion = 2; // to be raised when the same settings and vectors give another quantizer

    /// <inheritdoc/>
    public override QuantizerKind Kind => QuantizerKind.Rpq;

    /// <inheritdoc/>
    public override int SampleSize => Options.TrainingVectors;

    /// <inheritdoc/>
    public override ulong Seed => Options.Seed;

    /// <inheritdoc/>
    public override string Fingerprint => $"Rpq {TrainerVersion} {Options}";

    /// <inheritdoc/>
    public override IReadOnlyList<Problem> Validate(int dim, Metric metric) =>
        RpqTrainer.Refuse(metric) is { } problem ? [problem, .. Options.Validate(dim)] : Options.Validate(dim);

    /// <inheritdoc/>
    public override async ValueTask<LearnedQuantizer> TrainAsync(TrainingInput input)
    {
        var source = new ClusterShards(input);
        try
        {
            var task = new RpqTask
            {
                Options = Options,
                Sample = input.Sample,
                Metric = input.Manifest.Metric,
                Version = input.Version,
                Source = source,
                Checkpoints = input.Checkpoints,
                Identity = input.Identity,
                Stepped = (step, loss) => input.Learned(new TrainingPoint(step, loss, null)),
                Scored = (step, score) => input.Learned(new TrainingPoint(step, null, score.Recall)),
                Work = input.Work,
            };
            (RoutingProductQuantizer quantizer, RpqSummary summary) = await RpqTrainer.TrainAsync(task).ConfigureAwait(false);
            return new LearnedQuantizer(quantizer, summary);
        }
        finally
        {
            await source.EndAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The shards of a collection, asked through its client.</summary>
    private sealed class ClusterShards(TrainingInput input) : IRoutingSource
    {
        public IReadOnlyList<long> Sizes { get; } = [.. input.Map.Shards.Select(shard => shard.Vectors)];

        public async ValueTask<ShardTrace> TraceAsync(int shard, TraceRequest request, Work work) =>
            (await input.Client.TraceAsync(input.Map.Shards[shard].Serving.First(), request, work).ConfigureAwait(false)).OrThrow();

        public async ValueTask EndAsync()
        {
            foreach (ShardEntry shard in input.Map.Shards)
            {
                try
                {
                    await input.Client.EndTracesAsync(shard.Serving.First(), CancellationToken.None).ConfigureAwait(false);
                }
                catch (IOException)
                {
                    // A shard that cannot be reached lets go what it kept when it is closed.
                }
            }
        }
    }
}
