using Signpost.Engine.Base;

namespace Signpost.Engine.Build;

/// <summary>How a graph is built. R, L and C are those of the NSG paper.</summary>
public sealed record GraphOptions
{
    /// <summary>Most out-neighbours of a vertex, 2 .. 255. 32: more raises recall at equal L, at 3 bytes per vector each.</summary>
    public int R { get; init; } = 32;

    /// <summary>Pool of the construction search, 8 .. 4096. 80: about that of a query at recall 0.99; more finds little more.</summary>
    public int L { get; init; } = 80;

    /// <summary>Most candidates that the pruning looks at, 8 .. 8192. 400: edges beyond the 400 nearest candidates are not missed.</summary>
    public int C { get; init; } = 400;

    /// <summary>Neighbours per vertex in the k-NN graph, 4 .. 256. 48: half as many again as R, at 8 bytes each while building.</summary>
    public int KnnK { get; init; } = 48;

    /// <summary>Divisions into cells that begin the k-NN graph, 1 .. 64.</summary>
    public int Divisions { get; init; } = 4;

    /// <summary>Most vectors of a cell, 16 .. 8192. A cell costs the square, as a matrix product in cache.</summary>
    public int CellSize { get; init; } = 512;

    /// <summary>Rounds of NN-Descent, 0 .. 32.</summary>
    public int DescentRounds { get; init; } = 1;

    /// <summary>New entries of a vertex that take part in a round, 4 .. 128.</summary>
    public int DescentSample { get; init; } = 24;

    /// <summary>Seed of all that is random. Equal seeds give equal graphs, on any number of threads.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Everything that is out of range.</summary>
    public IEnumerable<Problem> Validate()
    {
        (string Name, int Value, int Min, int Max)[] ranges =
        [
            ("r", R, 2, 255),
            ("l", L, 8, 4096),
            ("c", C, 8, 8192),
            ("knn-k", KnnK, 4, 256),
            ("divisions", Divisions, 1, 64),
            ("cell-size", CellSize, 16, 8192),
            ("descent-rounds", DescentRounds, 0, 32),
            ("descent-sample", DescentSample, 4, 128),
        ];
        foreach ((string name, int value, int min, int max) in ranges)
        {
            if (value < min || value > max)
            {
                yield return new Problem(ProblemCode.InvalidArgument, name, $"{value}", $"{min} .. {max}", "Choose a value of that range.");
            }
        }
    }
}
