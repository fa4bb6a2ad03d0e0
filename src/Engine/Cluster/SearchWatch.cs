using System.Diagnostics;
using Signpost.Engine.Search;

namespace Signpost.Engine.Cluster;

/// <summary>Who looks at a search while it is done. Most searches have none, and cost nothing for it.</summary>
/// <param name="Span">The span that the search is a part of; the default: it is not traced.</param>
/// <param name="WantsShards">Whether the answer shall tell what each shard did.</param>
public sealed record SearchWatch(ActivityContext Span, bool WantsShards)
{
    /// <summary>Whether the search is traced.</summary>
    public bool IsTraced => Span.TraceId != default;

    /// <summary>The watch of a part of the search: <paramref name="span"/> where there is one.</summary>
    public SearchWatch Within(Activity? span) => span is null ? this : this with { Span = span.Context };
}

/// <summary>What the search of one shard did.</summary>
/// <param name="Shard">Number of the shard.</param>
/// <param name="Took">Time of the search, on its thread.</param>
/// <param name="Stats">Its work.</param>
public readonly record struct ShardWork(int Shard, TimeSpan Took, SearchStats Stats);
