namespace Signpost.Client;

/// <summary>How to search. What is left out has the silo's default (<c>search</c> in its settings).</summary>
public sealed record SearchOptions
{
    /// <summary>Neighbours wanted, 1 .. 10,000.</summary>
    public int? K { get; init; }

    /// <summary>Candidate pool, K .. 65,536: more is slower and finds more.</summary>
    public int? L { get; init; }

    /// <summary>What is walked on.</summary>
    public SearchMode? Mode { get; init; }

    /// <summary>Pool entries that get an exact distance under <see cref="SearchMode.CodesRerank"/>: K .. L, or 0 for all of the pool.</summary>
    public int? Rerank { get; init; }

    /// <summary>
    /// Deadline in the silos, from 1 ms to what they allow: then the answer is what was found so far, and
    /// <see cref="SearchStats.DeadlineReached"/> is true. It should be less than <see cref="SignpostClientOptions.Timeout"/>.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Whether an answer that not every shard has part in is an error ("IncompleteCoverage") instead of an answer.</summary>
    public bool RequireFull { get; init; }
}

/// <summary>What a search walks on.</summary>
public enum SearchMode
{
    /// <summary><see cref="CodesRerank"/> where the collection has codes, else <see cref="Exact"/>.</summary>
    Auto,

    /// <summary>The full vectors.</summary>
    Exact,

    /// <summary>The codes: distances are approximate.</summary>
    Codes,

    /// <summary>The codes, and then the full vectors of the best.</summary>
    CodesRerank,
}
