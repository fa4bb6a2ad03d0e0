using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Training;

/// <summary>One look at all shards.</summary>
/// <param name="Traces">By shard; without samples where none were asked for.</param>
/// <param name="Score">Mean of the shards' scores, in proportion to their sizes.</param>
internal sealed record RoutingRound(IReadOnlyList<ShardTrace> Traces, RoutingScore Score);

/// <summary>Looks at the shards of <paramref name="source"/>, with the same queries each time, which are dealt out in proportion to their sizes.</summary>
internal sealed class RoutingRounds(IRoutingSource source, RpqOptions options)
{
    private readonly int[] _training = QueryChoice.Shares(source.Sizes, options.Sampling.Queries);
    private readonly int[] _heldOut = QueryChoice.Shares(source.Sizes, options.Sampling.HeldOut);

    /// <summary>Has every shard encode by <paramref name="quantizer"/> and tell what it saw.</summary>
    /// <param name="quantizer">To be looked at.</param>
    /// <param name="round">The same number gives the same samples for the same quantizer.</param>
    /// <param name="withSample">Whether samples are wanted beside the score.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    public async ValueTask<RoutingRound> LookAsync(IQuantizer quantizer, long round, bool withSample, Work work)
    {
        int shards = source.Sizes.Count;
        var traces = new ShardTrace[shards];
        for (int i = 0; i < shards; i++)
        {
            // One after the other: each uses all threads, and needs memory while it does.
            var request = new TraceRequest
            {
                Quantizer = quantizer,
                Sampling = options.Sampling,
                TrainingQueries = _training[i],
                HeldOutQueries = _heldOut[i],
                Place = i,
                ScoreL = options.ScoreL,
                Round = (ulong)round,
                WithSample = withSample,
            };
            traces[i] = await source.TraceAsync(i, request, shards == 1 ? work : work.Under($"shard {i + 1}/{shards}")).ConfigureAwait(false);
        }

        return new RoutingRound(traces, RoutingScore.Mean([.. traces.Select((trace, i) => (_heldOut[i] > 0 ? (double)source.Sizes[i] : 0, trace.Score))]));
    }
}
