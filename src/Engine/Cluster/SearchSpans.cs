using System.Diagnostics;
using Signpost.Engine.Search;

namespace Signpost.Engine.Cluster;

/// <summary>
/// The spans of searches: who listens to the source sees what each part of a traced search took. A span's parent is always given, and the
/// current one of the thread stays as it was: a part of a search may end on another thread than it began on.
/// </summary>
public static class SearchSpans
{
    /// <summary>Name of the source.</summary>
    public const string SourceName = "Signpost";

    /// <summary>Where the spans come from.</summary>
    public static ActivitySource Source { get; } = new(SourceName);

    /// <summary>Begins a span; null where nobody listens.</summary>
    /// <param name="name">What is done.</param>
    /// <param name="kind">Where it stands between processes.</param>
    /// <param name="parent">The span that it is a part of; the default: none, it begins a trace.</param>
    public static Activity? Begin(string name, ActivityKind kind, ActivityContext parent)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        Activity? current = Activity.Current;
        Activity.Current = null;
        Activity? span = Source.StartActivity(name, kind, parent);
        Activity.Current = current;
        return span;
    }

    /// <summary>Ends <paramref name="span"/>, where there is one.</summary>
    public static void End(Activity? span)
    {
        if (span is not null)
        {
            Activity? current = Activity.Current;
            span.Stop();
            Activity.Current = current;
        }
    }

    /// <summary>Tells what a search did, where there is a span.</summary>
    public static void Tell(Activity? span, in SearchStats stats)
    {
        if (span is not null)
        {
            span.SetTag("signpost.hops", stats.Hops);
            span.SetTag("signpost.distance_computations", stats.DistanceComputations);
            span.SetTag("signpost.reranked", stats.Reranked);
            span.SetTag("signpost.deadline_reached", stats.DeadlineReached);
        }
    }
}
