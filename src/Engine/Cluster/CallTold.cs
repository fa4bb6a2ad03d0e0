using System.Diagnostics;
using Signpost.Engine.Search;

namespace Signpost.Engine.Cluster;

/// <summary>What is told of one call to a silo: a line of the report, and a span where the search is traced. The default tells nobody.</summary>
/// <param name="report">The search's; null: nobody wants to know.</param>
/// <param name="number">Of the call in the report.</param>
/// <param name="span">The call's; null where it is not traced.</param>
internal readonly struct CallTold(CallReports? report, int number, Activity? span)
{
    /// <summary>Who looks at what the silo does.</summary>
    public SearchWatch? Watch => report?.Watch?.Within(span);

    /// <summary>The call of <paramref name="group"/> is made.</summary>
    public static CallTold Begin(CallReports? report, SiloGroup group, AskKind kind, Clock clock)
    {
        if (report is null)
        {
            return default;
        }

        int number = report.Begin(group, kind, clock.Now);
        return new CallTold(report, number, report.Watch is { IsTraced: true } watch ? BeginSpan(watch, group, kind) : null);
    }

    /// <summary>It has ended. <paramref name="answer"/> is looked at where it was answered.</summary>
    public void End(CallEnd end, string? failure, in ShardAnswer answer, Clock clock)
    {
        report?.End(number, end, failure, answer, clock.Now);
        if (span is not null)
        {
            span.SetTag("signpost.call.end", end.ToString());
            SearchSpans.Tell(span, answer.Stats);
            if (end == CallEnd.Failed)
            {
                span.SetStatus(ActivityStatusCode.Error, failure);
            }

            SearchSpans.End(span);
        }
    }

    private static Activity? BeginSpan(SearchWatch watch, SiloGroup group, AskKind kind)
    {
        Activity? span = SearchSpans.Begin("ask silo", group.IsHere ? ActivityKind.Internal : ActivityKind.Client, watch.Span);
        span?.SetTag("signpost.silo", group.Silo.Id.Name);
        span?.SetTag("signpost.call.kind", kind.ToString());
        span?.SetTag("signpost.shards", group.Shards.Length);
        return span;
    }
}

/// <summary>What is told of the search of one shard: its work, and a span where the search is traced. The default tells nobody.</summary>
internal readonly struct ShardTold
{
    private readonly SearchWatch? _watch;
    private readonly int _shard;
    private readonly long _start;
    private readonly Activity? _span;

    private ShardTold(SearchWatch watch, ShardId shard)
    {
        (_watch, _shard, _start) = (watch, shard.Number, Stopwatch.GetTimestamp());
        if (watch.IsTraced)
        {
            _span = SearchSpans.Begin("search shard", ActivityKind.Internal, watch.Span);
            _span?.SetTag("signpost.collection", shard.Collection);
            _span?.SetTag("signpost.shard", shard.Number);
        }
    }

    /// <summary>The search of <paramref name="shard"/> begins.</summary>
    public static ShardTold Begin(SearchWatch? watch, ShardId shard) => watch is null ? default : new ShardTold(watch, shard);

    /// <summary>It has ended.</summary>
    public void End(in SearchStats stats, ref List<ShardWork>? work)
    {
        SearchSpans.Tell(_span, stats);
        SearchSpans.End(_span);
        if (_watch is { WantsShards: true })
        {
            (work ??= []).Add(new ShardWork(_shard, Stopwatch.GetElapsedTime(_start), stats));
        }
    }
}
