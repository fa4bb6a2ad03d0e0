namespace Signpost.Engine.Search;

/// <summary>Which distances a search walks on.</summary>
public enum SearchMode
{
    /// <summary>Exact distances of the full vectors.</summary>
    Exact,

    /// <summary>Distances of the codes; the answer is ordered by them.</summary>
    Codes,

    /// <summary>Distances of the codes for the walk, then exact distances of the best <see cref="SearchParameters.Rerank"/>.</summary>
    CodesRerank,
}

/// <summary>What a search is asked to do.</summary>
/// <param name="K">Answers wanted, 1 .. L.</param>
/// <param name="L">Size of the candidate pool: more is slower and finds more.</param>
/// <param name="Mode">Which distances are walked on.</param>
/// <param name="Rerank">Pool entries that get an exact distance under <see cref="SearchMode.CodesRerank"/>, K .. L; 0 means all L.</param>
public readonly record struct SearchParameters(int K, int L, SearchMode Mode = SearchMode.Exact, int Rerank = 0);

/// <summary>What a search did.</summary>
public struct SearchStats
{
    /// <summary>Vertices whose neighbours were looked at.</summary>
    public long Hops;

    /// <summary>Distances computed while walking, of vectors or codes.</summary>
    public long DistanceComputations;

    /// <summary>Exact distances computed to re-rank.</summary>
    public long Reranked;

    /// <summary>True when the deadline ended the walk early; the answer is the best so far.</summary>
    public bool DeadlineReached;

    /// <summary>Adds what another search (of another shard) did.</summary>
    public void Add(in SearchStats other)
    {
        Hops += other.Hops;
        DistanceComputations += other.DistanceComputations;
        Reranked += other.Reranked;
        DeadlineReached |= other.DeadlineReached;
    }
}

/// <summary>A vertex of one segment and its distance. Ordered by distance, then id.</summary>
public readonly record struct Neighbour(uint Id, float Distance) : IComparable<Neighbour>
{
    /// <inheritdoc/>
    public int CompareTo(Neighbour other)
    {
        int byDistance = Distance.CompareTo(other.Distance);
        return byDistance != 0 ? byDistance : Id.CompareTo(other.Id);
    }
}

/// <summary>A stored vector's id and its distance. Ordered by distance, then id.</summary>
public readonly record struct Hit(ulong Id, float Distance) : IComparable<Hit>
{
    /// <inheritdoc/>
    public int CompareTo(Hit other)
    {
        int byDistance = Distance.CompareTo(other.Distance);
        return byDistance != 0 ? byDistance : Id.CompareTo(other.Id);
    }
}
