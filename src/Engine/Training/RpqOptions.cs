using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Training;

/// <summary>What a training of RPQ starts from.</summary>
public enum RpqStart
{
    /// <summary>A trained OPQ.</summary>
    Opq,

    /// <summary>A trained PQ.</summary>
    Pq,

    /// <summary>Of a trained PQ and a trained OPQ the one with the better held-out score.</summary>
    Better,

    /// <summary>A random rotation, and rows of the sample as codewords: the authors' program.</summary>
    Random,
}

/// <summary>How a rotation is moved along its gradient.</summary>
public enum RotationMap
{
    /// <summary>From where it is, each step anew.</summary>
    Rebased,

    /// <summary>R = B exp(A) with a fixed B: the authors' program. Takes 70 G multiplications a step at 960 components.</summary>
    Exponential,
}

/// <summary>What the records of routing decisions weigh in the loss.</summary>
public enum RecordWeights
{
    /// <summary>All the same.</summary>
    Equal,

    /// <summary>1 / candidates: the authors' program.</summary>
    InverseSize,

    /// <summary>
    /// True distance of the nearest candidate over that of the second nearest, 0 .. 1: decisions that a small error of a distance turns count most.
    /// </summary>
    Margin,
}

/// <summary>Settings of a training of RPQ; see <see cref="RpqTrainer"/>.</summary>
/// <remarks>
/// The defaults are <see cref="Best"/>. Squared distances, temperatures and margins are those of vectors scaled to a mean length of 1.
/// </remarks>
public sealed record RpqOptions
{
    /// <summary>What finds most: start from OPQ, fitted temperatures, sharp routing decisions, refined codes.</summary>
    public static RpqOptions Best { get; } = new();

    /// <summary>
    /// What the authors' published program does, as far as it is known: for comparing. It needs many more steps, from a poor start.
    /// </summary>
    public static RpqOptions Faithful { get; } = new()
    {
        Start = RpqStart.Random,
        TargetEntropy = null,
        Sampling = new SamplingOptions { Candidates = CandidateSet.Visited, HopsPerQuery = 50, CandidatesPerHop = 90 },
        Loss = new RpqLoss { RoutingTemperature = 1 },
        RecordWeights = RecordWeights.InverseSize,
        Optimiser = new AdamOptions(),
        LearningRate = new LearningRate(),
        RotationRate = 1,
        Rotation = RotationMap.Exponential,
        RecordsPerQuery = 50,
        TripletsPerQuery = 1,
        Steps = 20_000,
        StepsPerRefresh = 1000,
        Patience = 20,
        Refinement = null,
    };

    /// <summary>Subspaces, 1 .. rotated dim. 16: sixteen bytes a vector.</summary>
    public int M { get; init; } = 16;

    /// <summary>Codewords per subspace, 256 or 16.</summary>
    public int K { get; init; } = 256;

    /// <summary>What it starts from. Better: OPQ is ahead on pixels and text, PQ on SIFT, whose components are ordered already.</summary>
    public RpqStart Start { get; init; } = RpqStart.Better;

    /// <summary>Share of the codewords' variance that a rotation keeps where <see cref="RotatedDim"/> is 0.</summary>
    internal const double KeptVariance = 0.99;

    /// <summary>
    /// Directions in which codes see a vector, M .. dim, taken down to a multiple of M: of every subspace those in which the codewords of
    /// the start differ most. dim: all of them. 0: as few as hold 99 % of the codewords' variance; a query of images in 784 components is
    /// then rotated in less time; all in which they differ where held-out queries refuse refined codes. A random start keeps all, whatever this says.
    /// </summary>
    public int RotatedDim { get; init; }

    /// <summary>Vectors that the start is learned from, 256 .. 16,777,216; fewer where there are fewer. 65,536: 256 per codeword.</summary>
    public int TrainingVectors { get; init; } = 65_536;

    /// <summary>How training data are drawn; at least one held-out query. Its seed is <see cref="Seed"/>, whatever it says.</summary>
    public SamplingOptions Sampling { get; init; } = new() { Queries = 16_384, Candidates = CandidateSet.Visited };

    /// <summary>Candidate pool of the searches that score the held-out queries, 10 .. 4096. 100: where recall still tells codes apart.</summary>
    public int ScoreL { get; init; } = 100;

    /// <summary>What is learned from.</summary>
    public RpqLoss Loss { get; init; } = new() { RoutingTemperature = 0.02, AnchorNoise = 0, ReconstructionOf = ReconstructionOf.Vertices };

    /// <summary>What records weigh. Equal: a decision among few counts as much as one among many.</summary>
    public RecordWeights RecordWeights { get; init; } = RecordWeights.Equal;

    /// <summary>
    /// Mean entropy of the assignment probabilities that temperatures are fitted to at the start, in nats, above 0 and below ln K; null:
    /// every temperature starts at 1. 0.5: one or two codewords per row get a gradient.
    /// </summary>
    public double? TargetEntropy { get; init; } = 0.5;

    /// <summary>The optimiser of all parameters. Adam with a short memory: a training is short.</summary>
    public AdamOptions Optimiser { get; init; } = new(1, 1, 0.9, 0.98);

    /// <summary>Rates of the codewords and temperatures. A cosine ends with <see cref="Steps"/>, whatever it says.</summary>
    public LearningRate LearningRate { get; init; } = new() { Peak = 2e-4, WarmUpSteps = 20, Shape = LearningRateDecay.Cosine };

    /// <summary>Rate of the rotation as a share of the others', 0 .. 10; 0: it stays as it is. 0.3: it turns all codes at once.</summary>
    public double RotationRate { get; init; } = 0.3;

    /// <summary>How the rotation moves. Re-based: the same to the second order of a step, at a small part of the cost.</summary>
    public RotationMap Rotation { get; init; } = RotationMap.Rebased;

    /// <summary>Longest Euclidean norm of all gradients together, above 0. Infinity: none, as Adam bounds its steps by itself.</summary>
    public double ClipNorm { get; init; } = double.PositiveInfinity;

    /// <summary>Queries of a step, 1 .. 65,536. 256.</summary>
    public int BatchQueries { get; init; } = 256;

    /// <summary>Routing decisions of a query in a step, 0 .. 4096, or all where there are fewer. 2: the rest comes in later steps.</summary>
    public int RecordsPerQuery { get; init; } = 2;

    /// <summary>Triplets of a query in a step, 0 .. 4096. 4: they cost little beside the records.</summary>
    public int TripletsPerQuery { get; init; } = 4;

    /// <summary>
    /// Most steps, 0 .. 10,000,000. 0: the best start as it is. 200: held-out queries gain within these; more steps learn the training
    /// queries by heart.
    /// </summary>
    public int Steps { get; init; } = 200;

    /// <summary>
    /// Steps between two looks at the graph, 1 .. 1,000,000: all vectors are encoded, walks traced anew, the held-out queries scored and a
    /// checkpoint is left. 50: what is gained early is not missed.
    /// </summary>
    public int StepsPerRefresh { get; init; } = 50;

    /// <summary>Refreshes without a better held-out score after which the training ends, 1 .. 1,000,000. 4.</summary>
    public int Patience { get; init; } = 4;

    /// <summary>
    /// How codes are fitted to their neighbourhoods, at most: a weaker refinement, or none, is taken where that finds more for held-out queries
    /// at the start. Null: nearest codewords, as in the paper.
    /// </summary>
    public Refinement? Refinement { get; init; } = new();

    /// <summary>
    /// True: the loss sees the codes that vertices had at the last refresh, refined. False: the nearest codewords of each step.
    /// </summary>
    public bool FixedCodes { get; init; }

    /// <summary>Seed of all that is random. Equal seeds give equal quantizers, on any number of threads.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Everything that is wrong for vectors of <paramref name="dim"/> components; empty when nothing is.</summary>
    public IReadOnlyList<Problem> Validate(int dim) => RpqRanges.Faults(this, dim);

    /// <summary>The rate of step <paramref name="step"/>, counted from 0.</summary>
    internal double RateAt(long step) => (LearningRate with { TotalSteps = Steps }).At(step);
}
