using System.Collections.Immutable;

namespace Signpost.Client;

/// <summary>A training of a collection, which runs or was the last to end.</summary>
public sealed record TrainingInfo
{
    /// <summary>Name of the collection.</summary>
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

    /// <summary>Held-out recall@10 of what rpq began with; null for other methods, and before it is known.</summary>
    public double? StartRecall { get; init; }

    /// <summary>The best held-out recall@10 so far.</summary>
    public double? BestRecall { get; init; }

    /// <summary>How learning rpq went, in order; none for other methods.</summary>
    public ImmutableArray<TrainingMoment> Points
    {
        get => field.IsDefault ? [] : field;
        init;
    }

    /// <summary>Why it failed, or what it waits for; null where there is nothing to say.</summary>
    public string? Reason { get; init; }
}

/// <summary>A moment of learning rpq.</summary>
/// <param name="Step">Steps made by then.</param>
/// <param name="Loss">Loss of the step; null where the graph was looked at.</param>
/// <param name="Recall">recall@10 of held-out queries on codes, 0 .. 1; null where they were not asked.</param>
public sealed record TrainingMoment(long Step, double? Loss, double? Recall);
