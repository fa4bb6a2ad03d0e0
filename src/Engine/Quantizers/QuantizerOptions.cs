using Signpost.Engine.Base;

namespace Signpost.Engine.Quantizers;

/// <summary>Settings of a training.</summary>
/// <remarks>
/// Recipe: choose M by the memory that a vector may cost (M bytes at K = 256, M / 2 at K = 16). M = dim / 8 is a good start; a
/// larger M finds more at the same search effort. K = 16 makes codes half as long and look-up tables fit into registers, at a
/// larger error for the same M.
/// </remarks>
public sealed record QuantizerOptions
{
    /// <summary>Subspaces, 1 .. dim. 16: sixteen bytes a vector, the literature's usual point of comparison.</summary>
    public int M { get; init; } = 16;

    /// <summary>Codewords per subspace, 256 or 16. 256: a code number is a byte.</summary>
    public int K { get; init; } = 256;

    /// <summary>Most rounds of k-means for the final codebooks, 1 .. 1000. 25: later rounds gain less than a percent.</summary>
    public int Iterations { get; init; } = 25;

    /// <summary>
    /// Rounds of OPQ, each one new rotation, 0 .. 1000; not used by PQ. 20: fifty lower the error on siftsmall by another 0.3 %.
    /// </summary>
    public int Rotations { get; init; } = 20;

    /// <summary>Vectors used; more are sampled. 256 .. 16,777,216. 65,536: 256 for each of 256 codewords.</summary>
    public int TrainingVectors { get; init; } = 65_536;

    /// <summary>The same seed, settings and vectors give the same quantizer on any number of threads.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Number of the training within its collection, at least 1.</summary>
    public uint Version { get; init; } = 1;

    /// <summary>Everything that is wrong for vectors of <paramref name="dim"/> components; empty when nothing is.</summary>
    public IReadOnlyList<Problem> Validate(int dim)
    {
        var problems = new List<Problem>();
        Require(problems, M >= 1 && M <= dim, nameof(M), M, $"1 .. {dim}", "Every subspace needs a component.");
        Require(problems, K is 16 or 256, nameof(K), K, "16 or 256", "Codes are 4 or 8 bits per subspace.");
        Require(problems, Iterations is >= 1 and <= 1000, nameof(Iterations), Iterations, "1 .. 1000", "25 is usual.");
        Require(problems, Rotations is >= 0 and <= 1000, nameof(Rotations), Rotations, "0 .. 1000", "20 is usual.");
        bool enough = TrainingVectors is >= 256 and <= 1 << 24;
        Require(problems, enough, nameof(TrainingVectors), TrainingVectors, "256 .. 16777216", "65536 is usual.");
        Require(problems, Version >= 1, nameof(Version), (int)Version, "at least 1", "0 is a collection without codes.");
        return problems;
    }

    private static void Require(List<Problem> problems, bool holds, string name, int got, string expected, string mend)
    {
        if (!holds)
        {
            problems.Add(new Problem(ProblemCode.InvalidArgument, $"quantizer setting {name}", $"{got}", expected, mend));
        }
    }
}
