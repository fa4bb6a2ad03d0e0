using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;

namespace Signpost.Silo.Compare;

/// <summary>A way to make codes.</summary>
/// <param name="Name">As it is asked for and shown.</param>
/// <param name="Make">Learns from the collection, with M, K and the seed of the options.</param>
internal sealed record CompareMethod(string Name, Func<TrainingSet, QuantizerOptions, Work, ITableCoder> Make)
{
    /// <summary>What everything else is held against.</summary>
    public static readonly string[] Rivals = ["pq", "opq"];

    /// <summary>Every method. To add one: a line here.</summary>
    public static readonly CompareMethod[] All =
    [
        new("pq", (set, options, work) => QuantizerTrainer.Train(QuantizerKind.Pq, set.Vectors, set.Metric, options, work)),
        new("opq", (set, options, work) => QuantizerTrainer.Train(QuantizerKind.Opq, set.Vectors, set.Metric, options, work)),
        new("rpq", (set, options, work) => throw new NotSupportedException())
        {
            Refusal = new Problem(
                ProblemCode.NotSupported, "--methods", "'rpq'", "codes that this version can train", "Compare pq, opq, rabitq and rabitq4."),
        },
        new("rabitq", (set, options, work) => RabitqCoder.Make(set.Vectors, set.Metric, 1, options.Seed, work)) { IsSized = false },
        new("rabitq4", (set, options, work) => RabitqCoder.Make(set.Vectors, set.Metric, 4, options.Seed, work)) { IsSized = false },
    ];

    /// <summary>Whether it has M subspaces of K codewords; else the dimension alone says how long its codes are.</summary>
    public bool IsSized { get; init; } = true;

    /// <summary>Why it cannot be asked for; null where it can.</summary>
    public Problem? Refusal { get; init; }

    /// <summary>The method of a name in <see cref="All"/>.</summary>
    public static CompareMethod Of(string name) => All.First(method => method.Name == name);
}
