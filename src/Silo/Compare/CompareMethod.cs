using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Silo.Compare;

/// <summary>What a method learned.</summary>
/// <param name="Coder">Makes the codes.</param>
/// <param name="Rpq">How the training of RPQ went; null for others.</param>
internal sealed record Made(ITableCoder Coder, RpqSummary? Rpq = null);

/// <summary>A way to make codes.</summary>
/// <param name="Name">As it is asked for and shown.</param>
/// <param name="Make">Learns from the collection, with M, K and the seed of the options.</param>
internal sealed record CompareMethod(string Name, Func<TrainingSet, QuantizerOptions, Work, Made> Make)
{
    /// <summary>What everything else is held against.</summary>
    public static readonly string[] Rivals = ["pq", "opq"];

    /// <summary>Every method. To add one: a line here. Those of RPQ are its best settings with one thing changed.</summary>
    public static readonly CompareMethod[] All =
    [
        new("pq", (set, options, work) => new(QuantizerTrainer.Train(QuantizerKind.Pq, set.Vectors, set.Metric, options, work))),
        new("opq", (set, options, work) => new(QuantizerTrainer.Train(QuantizerKind.Opq, set.Vectors, set.Metric, options, work))),
        Learned("rpq", best => best),
        Learned("rpq-norotation", best => best with { RotationRate = 0 }),
        Learned("rpq-noneighbourhood", best => best with { Loss = best.Loss with { Neighbourhood = 0 } }),
        Learned("rpq-norouting", best => best with { Loss = best.Loss with { Routing = 0 } }),
        Learned("rpq-noreconstruction", best => best with { Loss = best.Loss with { Reconstruction = 0 } }),
        Learned("rpq-norefinement", best => best with { Refinement = null }), // the codes of the paper
        Learned("rpq-nolearning", best => best with { Steps = 0 }), // its start with refined codes
        Learned("rpq-visited", best => best with { Sampling = best.Sampling with { Candidates = CandidateSet.Visited } }),
        Learned("rpq-unvisited", best => best with { Sampling = best.Sampling with { Candidates = CandidateSet.Unvisited } }),
        Learned("rpq-hops", best => best with { Sampling = best.Sampling with { Label = HopLabel.LeadsToNeighbour } }),
        Learned("rpq-gumbel", best => best with { Loss = best.Loss with { AnchorNoise = 1, ReconstructionOf = ReconstructionOf.Anchors } }),
        Learned("rpq-tr1", best => best with { Loss = best.Loss with { RoutingTemperature = 1 } }),
        Learned("rpq-tr0.1", best => best with { Loss = best.Loss with { RoutingTemperature = 0.1 } }),
        Learned("rpq-tr0.005", best => best with { Loss = best.Loss with { RoutingTemperature = 0.005 } }),
        Learned("rpq-margin", best => best with { RecordWeights = RecordWeights.Margin }),
        Learned("rpq-t1", best => best with { TargetEntropy = null }),
        Learned("rpq-pq", best => best with { Start = RpqStart.Pq }),
        Learned("rpq-opq", best => best with { Start = RpqStart.Opq }),
        Learned("rpq-faithful", _ => RpqOptions.Faithful with { Steps = FaithfulSteps }),
        Learned("pq-refined", best => best with { Start = RpqStart.Pq, Steps = 0 }),
        new("rabitq", (set, options, work) => new(RabitqCoder.Make(set.Vectors, set.Metric, 1, options.Seed, work))) { IsSized = false },
        new("rabitq4", (set, options, work) => new(RabitqCoder.Make(set.Vectors, set.Metric, 4, options.Seed, work))) { IsSized = false },
    ];

    /// <summary>Steps of the published program that a comparison waits for. It takes 20,000: the better part of an hour for 10,000 vectors.</summary>
    public const int FaithfulSteps = 50;

    /// <summary>Whether it has M subspaces of K codewords; else the dimension alone says how long its codes are.</summary>
    public bool IsSized { get; init; } = true;

    /// <summary>Its settings, apart from M, K and the seed, where it is learned from walks; else null.</summary>
    public RpqOptions? Rpq { get; private init; }

    /// <summary>The method of a name in <see cref="All"/>.</summary>
    /// <param name="name">The name.</param>
    /// <param name="adjust">Changes settings of RPQ.</param>
    public static CompareMethod Of(string name, Func<RpqOptions, RpqOptions> adjust)
    {
        CompareMethod method = All.First(method => method.Name == name);
        return method.Rpq is { } options ? Learned(name, _ => adjust(options)) : method;
    }

    /// <summary>What is wrong with it at a size, for vectors of <paramref name="dim"/> components; empty when nothing is.</summary>
    public IReadOnlyList<Problem> Validate(QuantizerOptions size, int dim, Metric metric) => Rpq is { } options
        ? Sized(options, size).Validate(dim, metric)
        : IsSized ? size.Validate(dim) : [];

    private static CompareMethod Learned(string name, Func<RpqOptions, RpqOptions> vary)
    {
        RpqOptions varied = vary(RpqOptions.Best);
        return new(name, (set, size, work) => set.Learn(Sized(varied, size), work)) { Rpq = varied };
    }

    private static RpqMethod Sized(RpqOptions options, QuantizerOptions size) => new(options with { M = size.M, K = size.K, Seed = size.Seed });
}
