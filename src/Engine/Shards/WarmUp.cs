using Signpost.Engine.Base;
using Signpost.Engine.Search;

namespace Signpost.Engine.Shards;

/// <summary>
/// Searches a shard that has just been opened for some of its own vectors: the first queries of others then wait neither for pages that nothing has
/// touched yet nor for code that the runtime has not compiled yet.
/// </summary>
internal static class WarmUp
{
    /// <summary>Queries: the runtime compiles anew what was called 30 times.</summary>
    public const int Queries = 64;

    private const int K = 10;
    private const int L = 64; // what a search takes by default

    /// <summary>Searches <paramref name="shard"/> on the codes of <paramref name="codesVersion"/> with re-ranking; where there are none (0), exactly.</summary>
    /// <returns>Hits of all searches together.</returns>
    public static long Run(Shard shard, uint codesVersion, Query query, CancellationToken cancel)
    {
        var parameters = new SearchParameters(K, L, codesVersion == 0 ? SearchMode.Exact : SearchMode.CodesRerank);
        var hits = new Hit[K];
        long found = 0;
        using Snapshot snapshot = shard.Snapshot(codesVersion);
        for (int i = 0; i < Queries && snapshot.Count > 0 && snapshot.Validate(query, parameters) is null; i++)
        {
            cancel.ThrowIfCancellationRequested();
            query.SetRow(snapshot.View.Vectors.RowSpan(i * snapshot.Count / Queries));
            found += snapshot.Search(query, parameters, Deadline.None, hits, out _);
        }

        return found;
    }
}
