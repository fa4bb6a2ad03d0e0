using System.Diagnostics;
using System.Globalization;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Training;

/// <summary>What a training of RPQ is given.</summary>
public sealed record RpqTask
{
    /// <summary>Settings, in range for the dimension of the sample.</summary>
    public required RpqOptions Options { get; init; }

    /// <summary>Vectors of the collection, at least one: the start is learned from them.</summary>
    public required VectorBlock Sample { get; init; }

    /// <summary>Metric of the collection: L2 or cosine.</summary>
    public required Metric Metric { get; init; }

    /// <summary>Number of the training: <see cref="IQuantizer.Version"/> of its result.</summary>
    public required uint Version { get; init; }

    /// <summary>The shards.</summary>
    public required IRoutingSource Source { get; init; }

    /// <summary>Keeps what an interrupted training goes on from.</summary>
    public required ICheckpointStore Checkpoints { get; init; }

    /// <summary>Tells the vectors and graphs from all others: a checkpoint of others is not used.</summary>
    public required string Identity { get; init; }

    /// <summary>Told the loss after some of the steps.</summary>
    public Action<long, double> Stepped { get; init; } = (_, _) => { };

    /// <summary>Told the held-out score at every look at the graph.</summary>
    public Action<long, RoutingScore> Scored { get; init; } = (_, _) => { };

    /// <summary>Threads, progress, cancellation.</summary>
    public required Work Work { get; init; }
}

/// <summary>How a training of RPQ went.</summary>
public sealed record RpqSummary
{
    /// <summary>Held-out score of the start, its codes refined as those of the result.</summary>
    public required RoutingScore Start { get; init; }

    /// <summary>Held-out score of the result; the start's or above.</summary>
    public required RoutingScore End { get; init; }

    /// <summary>Steps made.</summary>
    public required long Steps { get; init; }

    /// <summary>Steps after which it was the result; 0: the start is.</summary>
    public required long BestStep { get; init; }

    /// <summary>Steps left out because a gradient was not finite.</summary>
    public required long SkippedSteps { get; init; }

    /// <summary>Milliseconds of a step, looks at the graph not counted.</summary>
    public required double MillisecondsPerStep { get; init; }

    /// <summary>Seconds of the training, those of the runs that were interrupted included up to their checkpoints.</summary>
    public required double Seconds { get; init; }

    /// <summary>Step from which this run went on; null where it began the training.</summary>
    public long? ResumedAt { get; init; }

    /// <summary>What was odd, for a person; null where nothing was.</summary>
    public string? Notice { get; init; }
}

/// <summary>
/// Learns RPQ: rotation and codebooks by gradient steps on routing decisions of the collection's own graphs (Yue and others, ICDE 2024,
/// arXiv 2311.18724).
/// </summary>
/// <remarks>
/// It begins with a quantizer that vectors alone have taught (<see cref="RpqStarts"/>). Then, in turn: all shards encode with the
/// quantizer as it is, walk their graphs on these codes for the training queries and score the held-out queries; from the traces
/// batches are drawn, each for one step. The result is what had the best held-out score, the start among them, so that no training
/// makes codes worse.
///
/// Before each look at the graph a checkpoint is saved. What follows from it follows again from the checkpoint: samples from the
/// parameters and the number of the step, batches from the seed and the number of the step.
/// </remarks>
public sealed class RpqTrainer
{
    private const float WeakerIsotropy = 4; // from 0.15 to 0.6, from where on refining changes little

    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(100);

    private readonly RpqTask _task;
    private readonly RpqOptions _options;
    private readonly RoutingRounds _rounds;
    private readonly ulong _fingerprint;
    private string? _notice;

    private RpqTrainer(RpqTask task)
    {
        _task = task;
        _options = task.Options with { Sampling = task.Options.Sampling with { Seed = task.Options.Seed } };
        _rounds = new RoutingRounds(task.Source, _options);
        _fingerprint = RpqCheckpoint.Fingerprint(_options, task.Sample.Dim, task.Identity);
    }

    private Work Work => _task.Work;

    /// <summary>Why RPQ cannot be learned under <paramref name="metric"/>; null where it can.</summary>
    public static Problem? Refuse(Metric metric) => metric == Metric.InnerProduct
        ? new Problem(
            ProblemCode.NotSupported, "RPQ", "inner product", "L2 or cosine",
            "Its losses are of squared distances, which do not rank by inner product. Use PQ or OPQ, or normalised vectors under cosine.")
        : null;

    /// <summary>Learns, or goes on from the checkpoint that is there.</summary>
    /// <exception cref="ProblemException">Settings out of range, no vectors, a component that is not finite, inner product.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the checkpoint holds what was learned until the last look at the graph.</exception>
    public static async ValueTask<(RoutingProductQuantizer Quantizer, RpqSummary Summary)> TrainAsync(RpqTask task)
    {
        if ((Refuse(task.Metric) ?? Problem.Join([.. task.Options.Validate(task.Sample.Dim)])) is { } problem)
        {
            throw new ProblemException(problem);
        }

        return await new RpqTrainer(task).TrainAsync().ConfigureAwait(false);
    }

    private async ValueTask<(RoutingProductQuantizer Quantizer, RpqSummary Summary)> TrainAsync()
    {
        long begun = Stopwatch.GetTimestamp();
        RpqState? resumed = Resume();
        long? resumedAt = resumed?.Step;
        RpqState state = resumed ?? await StartAsync().ConfigureAwait(false);
        double before = state.Seconds;
        using var model = new RpqModel(state.Parameters.Dim, _options.M, _options.K);
        while (true)
        {
            state.Seconds = before + Stopwatch.GetElapsedTime(begun).TotalSeconds;
            _task.Checkpoints.Save(RpqCheckpoint.Serialize(state, _fingerprint));
            bool goesOn = state.Step < _options.Steps;
            RoutingRound round = await _rounds
                .LookAsync(QuantizerOf(state.Space, state.Parameters, state.Refinement), state.Step, goesOn, Work).ConfigureAwait(false);
            state.Judge(round.Score);
            _task.Scored(state.Step, round.Score);
            if (!goesOn || state.Stale >= _options.Patience)
            {
                break;
            }

            using var batches = new RpqBatches(round.Traces, state.Space, _options, Work);
            if (!batches.HasLessons)
            {
                _notice = "Too few vectors to learn from: the start is the result.";
                break;
            }

            MakeSteps(state, model, batches);
        }

        state.Seconds = before + Stopwatch.GetElapsedTime(begun).TotalSeconds;
        return (QuantizerOf(state.Space, state.Best, state.Refinement), Summary(state, resumedAt));
    }

    /// <summary>The checkpoint's training; null where there is none of this training that is whole.</summary>
    private RpqState? Resume()
    {
        if (_task.Checkpoints.Load() is not { } bytes)
        {
            return null;
        }

        try
        {
            return RpqCheckpoint.Parse(bytes, _options, _task.Sample.Dim, _fingerprint);
        }
        catch (BadFileException e)
        {
            _notice = $"Began anew: {e.Message}";
            Work.Report(new PhaseProgress("begin anew", 1, 1, TimeSpan.FromSeconds(1), e.Message));
            return null;
        }
    }

    private async ValueTask<RpqState> StartAsync()
    {
        using FloatRows sampled = FloatRows.Sample(_task.Sample, _task.Metric, _options.TrainingVectors, _options.Seed, Work);
        RpqSpace full = RpqSpace.Of(sampled);
        using FloatRows rows = Take(full, sampled);
        IReadOnlyList<RpqParameters> starts = RpqStarts.Make(rows, _options, Work);
        RpqParameters chosen = starts[0];
        (RpqSpace Space, RpqParameters Parameters) best = Reduced(full, chosen, RpqOptions.KeptVariance);
        Refinement? refinement = null;
        if (starts.Count > 1 || _options.Refinement is not null)
        {
            // Nearest codewords tell which start is the better one, and cost a tenth of refined ones.
            RoutingScore score = await ScoreAsync(best, null).ConfigureAwait(false);
            foreach (RpqParameters start in starts.Skip(1))
            {
                (RpqSpace, RpqParameters) reduced = Reduced(full, start, RpqOptions.KeptVariance);
                RoutingScore other = await ScoreAsync(reduced, null).ConfigureAwait(false);
                (chosen, best, score) = other.CompareTo(score) > 0 ? (start, reduced, other) : (chosen, best, score);
            }

            refinement = await RefinementOfAsync(best, score).ConfigureAwait(false);
            best = refinement is null ? Reduced(full, chosen, CodewordAxes.AllButRounding) : best; // what tells so few bytes apart is little enough
        }

        return new RpqState(_options, best.Space, best.Parameters, [.. best.Parameters.Rotation], refinement);
    }

    /// <summary>
    /// The refinement of the options, or a weaker one, or none, whichever finds most for held-out queries: few bytes cannot follow all neighbours.
    /// </summary>
    /// <param name="start">What codes are made by.</param>
    /// <param name="plain">Score without one.</param>
    private async ValueTask<Refinement?> RefinementOfAsync((RpqSpace Space, RpqParameters Parameters) start, RoutingScore plain)
    {
        Refinement? best = null;
        RoutingScore bestScore = plain;
        Refinement[] tried = _options.Refinement is { } wanted ? [wanted, wanted with { Isotropy = WeakerIsotropy * wanted.Isotropy }] : [];
        foreach (Refinement refinement in tried)
        {
            RoutingScore score = await ScoreAsync(start, refinement).ConfigureAwait(false);
            (best, bestScore) = score.CompareTo(bestScore) > 0 ? (refinement, score) : (best, bestScore);
        }

        return best;
    }

    private async ValueTask<RoutingScore> ScoreAsync((RpqSpace Space, RpqParameters Parameters) start, Refinement? refinement)
    {
        RoutingRound round = await _rounds
            .LookAsync(QuantizerOf(start.Space, start.Parameters, refinement), 0, withSample: false, Work).ConfigureAwait(false);
        return round.Score;
    }

    /// <summary>Random codewords differ in all directions; those of a trained start may not.</summary>
    private (RpqSpace Space, RpqParameters Parameters) Reduced(RpqSpace full, RpqParameters start, double share) => _options.Start == RpqStart.Random
        ? (full, start)
        : CodewordAxes.Reduce(full, start, _options.RotatedDim, share, Work);

    private unsafe FloatRows Take(RpqSpace space, FloatRows sampled) => space.Take(sampled.First, sampled.Count, Work);

    /// <summary>Steps until the next look at the graph.</summary>
    private void MakeSteps(RpqState state, RpqModel model, RpqBatches batches)
    {
        RpqLoss loss = _options.Loss with { Seed = _options.Seed };
        long begun = Stopwatch.GetTimestamp(), reported = begun;
        double stepSeconds = state.StepSeconds;
        long end = Math.Min(_options.Steps, state.Step + _options.StepsPerRefresh);
        while (state.Step < end)
        {
            Work.Cancel.ThrowIfCancellationRequested();
            RpqBatch batch = batches.Draw(state.Step, Work);
            using FloatRows anchors = batch.Anchors, vertices = batch.Vertices;
            RpqStep gradients = model.Step(state.Parameters, batch, loss, Work);
            state.Apply(gradients, Work);
            state.StepSeconds = stepSeconds + Stopwatch.GetElapsedTime(begun).TotalSeconds;
            if (state.Step == end || Stopwatch.GetElapsedTime(reported) >= ReportInterval)
            {
                reported = Stopwatch.GetTimestamp();
                _task.Stepped(state.Step, gradients.Total);
                TimeSpan elapsed = TimeSpan.FromSeconds(state.Seconds) + Stopwatch.GetElapsedTime(begun);
                Work.Report(new PhaseProgress("learn RPQ", state.Step, _options.Steps, elapsed, Describe(state, gradients)));
            }
        }
    }

    private static string Describe(RpqState state, RpqStep step) => string.Create(
        CultureInfo.InvariantCulture,
        $"loss {step.Total:0.000} ({step.Reconstruction:0.000} + {step.Neighbourhood:0.000} + {step.Routing:0.000}), held-out {state.BestScore.Recall:0.0000} / "
            + $"{state.BestScore.Agreement:0.0000} (from {state.StartScore.Recall:0.0000} / {state.StartScore.Agreement:0.0000}), "
            + $"T {Math.Exp(state.Parameters.LogTemperatures.Average()):0.0e+0}");

    private RoutingProductQuantizer QuantizerOf(RpqSpace space, RpqParameters parameters, Refinement? refinement) =>
        space.ToQuantizer(parameters, _task.Metric, _task.Version, refinement, Work);

    private RpqSummary Summary(RpqState state, long? resumedAt) => new()
    {
        Start = state.StartScore,
        End = state.BestScore,
        Steps = state.Step,
        BestStep = state.BestStep,
        SkippedSteps = state.Skipped,
        MillisecondsPerStep = 1000 * state.StepSeconds / Math.Max(1, state.Step),
        Seconds = state.Seconds,
        ResumedAt = resumedAt,
        Notice = _notice,
    };
}
