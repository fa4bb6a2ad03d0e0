using Signpost.Engine.Search;

namespace Signpost.Silo.Eval;

/// <summary>What can be measured: a collection behind its coordinator, or its graphs with codes that are made in memory. Thread-safe.</summary>
internal interface ISearchable
{
    /// <summary>Name of the codes: none, pq, opq, rpq.</summary>
    string Quantizer { get; }

    /// <summary>Subspaces of a code; null without codes or subspaces.</summary>
    int? M { get; }

    /// <summary>Bytes per vector that a walk of <paramref name="mode"/> needs in memory for as long as the collection is open.</summary>
    double ResidentBytesPerVector(SearchMode mode);

    /// <summary>Bytes per vector that a walk of <paramref name="mode"/> reads from the mapped file as it touches them.</summary>
    double MappedBytesPerVector(SearchMode mode);

    /// <summary>What one thread needs to search, with its own query.</summary>
    IThreadSearch NewThread();
}

/// <summary>Searches on one thread.</summary>
internal interface IThreadSearch : IDisposable
{
    /// <summary>The nearest vectors to <paramref name="row"/>, which has the form of a stored one, to the front of <paramref name="hits"/>.</summary>
    /// <returns>How many hits there are: K, or fewer where fewer vectors were reached.</returns>
    int Search(ReadOnlySpan<byte> row, in SearchParameters parameters, Hit[] hits, out SearchStats stats);
}
