using Signpost.Engine.Base;
using Signpost.Engine.Search;

namespace Signpost.Silo.Http;

/// <summary>One form of a search on the wire: how its request is read and how its answer is written. Without state.</summary>
internal interface ISearchForm
{
    /// <summary>Content type of request and answer.</summary>
    string ContentType { get; }

    /// <summary>The vectors and settings of the request, or what is wrong with it.</summary>
    Task<Outcome<SearchInput>> ReadAsync(HttpContext context, IServedCollection collection);

    /// <summary>Writes the answer to <paramref name="input"/>; or returns the problem that is the answer, and writes nothing.</summary>
    Task<Problem?> WriteAsync(HttpContext context, SearchInput input, SearchBatch batch, double tookMs);
}

/// <summary>What a request asks, whatever its form.</summary>
/// <param name="Settings">How to search; its vectors are not looked at.</param>
/// <param name="Count">Vectors, at least 1.</param>
/// <param name="Bind">Binds a query to a row, or says why the row is refused.</param>
internal sealed record SearchInput(SearchBody Settings, int Count, Func<int, Query, Problem?> Bind);
