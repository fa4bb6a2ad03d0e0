using Signpost.Engine.Cluster;

namespace Signpost.Silo.Http;

/// <summary>Body of a training. What is left out has the default of <c>signpost train</c>.</summary>
internal sealed record TrainBody
{
    /// <summary>Name of the collection.</summary>
    public required string Collection { get; init; }

    /// <summary>Stops the training that runs instead of beginning one; nothing else is looked at.</summary>
    public bool Stop { get; init; }

    /// <summary>pq, opq or rpq.</summary>
    public string? Method { get; init; }

    /// <summary>Subspaces of a code.</summary>
    public int? M { get; init; }

    /// <summary>Codewords per subspace: 256 or 16.</summary>
    public int? K { get; init; }

    /// <summary>Settings of rpq: best or faithful.</summary>
    public string? Profile { get; init; }

    /// <summary>Most steps of rpq.</summary>
    public int? Steps { get; init; }

    /// <summary>Walks that rpq learns from.</summary>
    public int? TrainingQueries { get; init; }

    /// <summary>Directions in which rpq's codes see a vector; 0: as few as hold 99 % of what tells codes apart, or all where codes are not refined.</summary>
    public int? RotatedDim { get; init; }

    /// <summary>Number from which all random choices follow.</summary>
    public int? Seed { get; init; }

    /// <summary>Threads of the trainer and of each shard that encodes: 1, so that queries hardly notice.</summary>
    public int? Threads { get; init; }
}

/// <summary>The last training of a collection, which runs or has ended.</summary>
internal sealed record TrainingReply
{
    public required string Collection { get; init; }

    /// <summary>Counts the trainings of the collection, from 1; not every one of them makes codes.</summary>
    public required long Number { get; init; }

    /// <summary>running, done, failed or stopped.</summary>
    public required string State { get; init; }

    /// <summary>The silo that trains, or was the last to do so.</summary>
    public required string Silo { get; init; }

    /// <summary>pq, opq or rpq.</summary>
    public required string Method { get; init; }

    /// <summary>ordered, learning, encoding, opening, committing, turning or cleaning.</summary>
    public required string Step { get; init; }

    /// <summary>The part of the step, in a few words.</summary>
    public required string Phase { get; init; }

    /// <summary>Units of the phase that are done.</summary>
    public required long PhaseDone { get; init; }

    /// <summary>Units of the phase in all.</summary>
    public required long PhaseTotal { get; init; }

    /// <summary>Number of the codes that it makes; 0 before it is known.</summary>
    public required uint CodesVersion { get; init; }

    /// <summary>Seconds that silos have worked on it.</summary>
    public required double Seconds { get; init; }

    /// <summary>How often another silo, or a later process, has gone on with it.</summary>
    public required int Resumed { get; init; }

    /// <summary>Vectors that it learned from.</summary>
    public required long Sampled { get; init; }

    /// <summary>Mean squared error of the nearest codewords over these; codes of rpq, which are fitted to neighbours, have a larger one. Null before it is known.</summary>
    public double? Error { get; init; }

    /// <summary>Held-out recall@10 of what rpq began with.</summary>
    public double? StartRecall { get; init; }

    /// <summary>The best held-out recall@10 so far.</summary>
    public double? BestRecall { get; init; }

    /// <summary>How learning rpq went: losses of steps, and held-out recall where the graph was looked at.</summary>
    public required TrainingPointReply[] Points { get; init; }

    /// <summary>Why it failed, or what it waits for.</summary>
    public string? Reason { get; init; }

    /// <summary>A training as answers tell it.</summary>
    public static TrainingReply Of(TrainingRecord record)
    {
        double[] recalls = [.. record.Points.Select(point => point.Recall).OfType<double>()];
        return new TrainingReply
        {
            Collection = record.Collection,
            Number = record.Number,
            State = record.State.ToString().ToLowerInvariant(),
            Silo = record.Silo,
            Method = record.Order.Kind.ToString().ToLowerInvariant(),
            Step = record.Step.ToString().ToLowerInvariant(),
            Phase = record.Phase,
            PhaseDone = record.PhaseDone,
            PhaseTotal = record.PhaseTotal,
            CodesVersion = record.CodesVersion,
            Seconds = record.Seconds,
            Resumed = record.Resumed,
            Sampled = record.Sampled,
            Error = record.Error,
            StartRecall = recalls.Length > 0 ? recalls[0] : null,
            BestRecall = recalls.Length > 0 ? recalls.Max() : null,
            Points = [.. record.Points.Select(point => new TrainingPointReply(point.Step, Finite(point.Loss), point.Recall))],
            Reason = record.Reason,
        };
    }

    private static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null; // JSON has no others
}

/// <summary>A moment of learning: the loss of a step, or the recall@10 of held-out queries.</summary>
internal sealed record TrainingPointReply(long Step, double? Loss, double? Recall);
