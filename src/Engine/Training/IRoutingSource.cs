using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Training;

/// <summary>How good codes are on queries that nothing was learned from.</summary>
/// <param name="Recall">Mean share of the true 10 nearest that searches on codes alone find, 0 .. 1.</param>
/// <param name="Agreement">Share of routing decisions in which the nearest by code is the truly nearest, 0 .. 1.</param>
public readonly record struct RoutingScore(double Recall, double Agreement) : IComparable<RoutingScore>
{
    /// <summary>By recall, and by agreement where that is equal.</summary>
    public int CompareTo(RoutingScore other) => (Recall, Agreement).CompareTo((other.Recall, other.Agreement));

    /// <summary>The mean of scores, each as heavy as its weight; those of weight 0 and those of no query are not looked at.</summary>
    public static RoutingScore Mean(IReadOnlyList<(double Weight, RoutingScore Score)> parts)
    {
        (double Weight, RoutingScore Score)[] counted = [.. parts.Where(part => part.Weight > 0 && !double.IsNaN(part.Score.Recall))];
        double all = counted.Sum(part => part.Weight);
        return new RoutingScore(
            counted.Sum(part => part.Weight * part.Score.Recall) / all, counted.Sum(part => part.Weight * part.Score.Agreement) / all);
    }
}

/// <summary>What a shard is asked while RPQ is learned. Equal requests have equal answers, whenever they are asked.</summary>
public sealed record TraceRequest
{
    /// <summary>Encodes the shard's vectors; refined where it refines, training and held-out queries being among them.</summary>
    public required IQuantizer Quantizer { get; init; }

    /// <summary>How queries and decisions are drawn; its numbers of queries are not looked at.</summary>
    public required SamplingOptions Sampling { get; init; }

    /// <summary>Training queries of this shard.</summary>
    public required int TrainingQueries { get; init; }

    /// <summary>Held-out queries of this shard.</summary>
    public required int HeldOutQueries { get; init; }

    /// <summary>Place of the shard among all: each draws other rows.</summary>
    public required int Place { get; init; }

    /// <summary>Candidate pool of the searches that score.</summary>
    public required int ScoreL { get; init; }

    /// <summary>Which hops and candidates are kept of the walks.</summary>
    public required ulong Round { get; init; }

    /// <summary>Whether training queries are traced; else the codes are scored only.</summary>
    public required bool WithSample { get; init; }

    /// <summary>Whether what was made ready for <paramref name="other"/> serves this request as well: the queries are the same.</summary>
    internal bool HasQueriesOf(TraceRequest other) =>
        (Sampling, TrainingQueries, HeldOutQueries, Place) == (other.Sampling, other.TrainingQueries, other.HeldOutQueries, other.Place);
}

/// <summary>What a shard answers.</summary>
/// <param name="Sample">Traces of the training queries; null where none were asked for.</param>
/// <param name="Codes">Codes of the sample's vertices in the shard. Shape: [vertices, code bytes].</param>
/// <param name="Score">On the shard's held-out queries, whose neighbours are sought in this shard. Not to be looked at where it has none.</param>
public sealed record ShardTrace(RoutingSample? Sample, byte[] Codes, RoutingScore Score);

/// <summary>Where a training gets its data from: the shards of a collection, wherever they are.</summary>
public interface IRoutingSource
{
    /// <summary>Vectors of every shard.</summary>
    IReadOnlyList<long> Sizes { get; }

    /// <summary>
    /// Has shard number <paramref name="shard"/> encode its vectors, search its graph on the codes for its training and held-out queries,
    /// and tell what it saw.
    /// </summary>
    /// <remarks>
    /// A held-out vertex is left out of the neighbourhoods that codes are refined to, so that no code has been fitted to the queries that
    /// judge it.
    /// </remarks>
    /// <exception cref="ProblemException">The shard refuses, for example because its memory does not suffice.</exception>
    ValueTask<ShardTrace> TraceAsync(int shard, TraceRequest request, Work work);
}

/// <summary>Keeps one checkpoint of a training.</summary>
public interface ICheckpointStore
{
    /// <summary>What was saved last; null where nothing is.</summary>
    byte[]? Load();

    /// <summary>Saves <paramref name="bytes"/> in place of what was saved before: whole or not at all.</summary>
    void Save(byte[] bytes);
}
