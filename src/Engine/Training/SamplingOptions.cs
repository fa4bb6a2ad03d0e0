using Signpost.Engine.Base;

namespace Signpost.Engine.Training;

/// <summary>Which vertices of a hop are candidates of its routing decision.</summary>
public enum CandidateSet
{
    /// <summary>
    /// The best <see cref="SamplingOptions.Top"/> entries of the pool before the hop, expanded or not, and the newly accepted
    /// neighbours: as the authors' program records them. Late in a walk the best is nearly always one that was expanded long ago.
    /// </summary>
    Visited,

    /// <summary>
    /// The best <see cref="SamplingOptions.Top"/> entries of the pool that are still open once the hop's vertex is closed, and the newly
    /// accepted neighbours: those from which the next hop is really chosen.
    /// </summary>
    Unvisited,
}

/// <summary>Where the positives of the neighbourhood loss come from.</summary>
public enum NeighbourSource
{
    /// <summary>
    /// The nearest vectors of the shard. Up to 100,000 vectors by looking at each, beyond by a search of the graph on exact distances with
    /// a wide pool (L = 256), which misses a few in a thousand.
    /// </summary>
    Exact,

    /// <summary>
    /// The first out-neighbours of the query's own vertex; those of the nearest vertex, and this vertex before them, where the query is
    /// not a vector of the shard.
    /// </summary>
    Graph,
}

/// <summary>Which candidates of a hop are right.</summary>
public enum HopLabel
{
    /// <summary>The truly nearest to the query; several where they are exactly as near.</summary>
    Nearest,

    /// <summary>
    /// Those with the fewest edges to walk to one of the query's true neighbours (Baranchuk et al., "Learning to Route in Similarity
    /// Graphs", 2019). Where none is within three edges, as in <see cref="Nearest"/>.
    /// </summary>
    LeadsToNeighbour,
}

/// <summary>How the training data of RPQ are drawn from searches of a collection.</summary>
/// <remarks>L, Top and New are L, K_rec and r of the authors' program, whose values are the defaults here.</remarks>
public sealed record SamplingOptions
{
    /// <summary>Training queries of the collection, 1 .. 1,048,576. 8,192: 32 steps of 256 before a query comes again.</summary>
    public int Queries { get; init; } = 8192;

    /// <summary>Held-out queries of the collection, 0 .. 1,048,576. 1,000: recall is then known to about 0.3 %.</summary>
    public int HeldOut { get; init; } = 1000;

    /// <summary>Pool of the recorded walk, 2 .. 4096. 100: with much fewer the negatives become too few.</summary>
    public int L { get; init; } = 100;

    /// <summary>Pool entries of a record, 1 .. L; a hop that expands a vertex behind them is not recorded. 50.</summary>
    public int Top { get; init; } = 50;

    /// <summary>Newly accepted neighbours of a hop that join its record, the first so many, 0 .. 255. 40: more than most vertices have.</summary>
    public int New { get; init; } = 40;

    /// <summary>Which vertices are candidates. Unvisited: the decision that a search really takes.</summary>
    public CandidateSet Candidates { get; init; } = CandidateSet.Unvisited;

    /// <summary>
    /// Records kept of a walk, 1 .. 4096, one at random from each of so many equal parts of it, so that the way to the query's
    /// region counts as much as the end. 4.
    /// </summary>
    public int HopsPerQuery { get; init; } = 4;

    /// <summary>
    /// Candidates kept of a record, 2 .. 4096: the best of the right ones; for half of the places those that the walk ranked best, which
    /// are the easiest to mistake; for the rest any at random. 32.
    /// </summary>
    public int CandidatesPerHop { get; init; } = 32;

    /// <summary>True neighbours of a query, which are its positives, 0 .. 255; 0 leaves positives and negatives out. 10.</summary>
    public int Positives { get; init; } = 10;

    /// <summary>
    /// Best vertices of the walk whose false ones, neither a true neighbour nor a positive, are the negatives, 0 .. L. 50.
    /// </summary>
    public int Negatives { get; init; } = 50;

    /// <summary>Where positives come from.</summary>
    public NeighbourSource Neighbours { get; init; } = NeighbourSource.Exact;

    /// <summary>Which candidates are right.</summary>
    public HopLabel Label { get; init; } = HopLabel.Nearest;

    /// <summary>Seed of all that is random. Equal seeds give equal samples, on any number of threads.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Everything that is out of range.</summary>
    public IEnumerable<Problem> Validate()
    {
        (string Name, int Value, int Min, int Max)[] ranges =
        [
            ("queries", Queries, 1, 1 << 20),
            ("held-out", HeldOut, 0, 1 << 20),
            ("l", L, 2, 4096),
            ("top", Top, 1, L),
            ("new", New, 0, 255),
            ("candidates", (int)Candidates, 0, (int)CandidateSet.Unvisited),
            ("hops-per-query", HopsPerQuery, 1, 4096),
            ("candidates-per-hop", CandidatesPerHop, 2, 4096),
            ("positives", Positives, Label == HopLabel.LeadsToNeighbour ? 1 : 0, 255),
            ("negatives", Negatives, 0, L),
            ("neighbours", (int)Neighbours, 0, (int)NeighbourSource.Graph),
            ("label", (int)Label, 0, (int)HopLabel.LeadsToNeighbour),
        ];
        foreach ((string name, int value, int min, int max) in ranges)
        {
            if (value < min || value > max)
            {
                yield return new Problem(
                    ProblemCode.InvalidArgument, $"sampling setting {name}", $"{value}", $"{min} .. {max}", "Choose a value of that range.");
            }
        }
    }
}
