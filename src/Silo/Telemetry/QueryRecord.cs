using System.Diagnostics;
using Signpost.Engine.Cluster;
using Signpost.Silo.Http;

namespace Signpost.Silo.Telemetry;

/// <summary>What is noted of one vector while it is searched. Pooled, so that noting it allocates nothing.</summary>
internal sealed class QueryRecord
{
    /// <summary>The calls that its search makes.</summary>
    public CallReports Report { get; } = new();

    /// <summary>Time that it waited for a search thread.</summary>
    public TimeSpan Queued { get; private set; }

    /// <summary>Its span; null where it is not traced.</summary>
    public Activity? Span { get; private set; }

    /// <summary>A search thread has got to it.</summary>
    public void Begin(RequestRecord request, int row)
    {
        Queued = Stopwatch.GetElapsedTime(request.Arrived);
        Span = request.BeginRow(row);
        if (Span is not null || request.WantsExplain)
        {
            Report.Watch = new SearchWatch(Span?.Context ?? default, request.WantsExplain);
        }
    }

    /// <summary>Forgets everything, for the next vector.</summary>
    public void Clear()
    {
        Report.Clear();
        Span = null;
    }
}

/// <summary>What is noted of a request with one vector or several.</summary>
/// <param name="arrived">When it came, a timestamp.</param>
/// <param name="span">Its span; null where it is not traced.</param>
internal sealed class RequestRecord(long arrived, Activity? span)
{
    /// <summary>Vectors of a request that have spans of their own: a large batch is told by its first ones.</summary>
    private const int MostTracedRows = 16;

    /// <summary>When it came, a timestamp.</summary>
    public long Arrived => arrived;

    /// <summary>Whether the answer shall explain itself.</summary>
    public bool WantsExplain { get; private set; }

    /// <summary>Vectors that no search thread was given yet; 1 while it is not known how many there are.</summary>
    public int Unsearched { get; set; } = 1;

    /// <summary>Begins the span of a row; null where it is not traced.</summary>
    public Activity? BeginRow(int row) =>
        span is null || row >= MostTracedRows ? null : SearchSpans.Begin("search", ActivityKind.Internal, span.Context);

    /// <summary>Its body was read.</summary>
    public void Read(string collection, SearchInput input)
    {
        WantsExplain = input.Settings.Explain == true;
        Unsearched = input.Count;
        span?.SetTag("signpost.collection", collection);
        span?.SetTag("signpost.vectors", input.Count);
    }

    /// <summary>It ended by an exception.</summary>
    public void Fail(Exception e)
    {
        span?.SetTag("error.type", e.GetType().FullName);
        span?.SetStatus(ActivityStatusCode.Error);
        SearchSpans.End(span);
    }

    /// <summary>It was answered.</summary>
    public void End(int status)
    {
        span?.SetTag("http.response.status_code", status);
        SearchSpans.End(span);
    }
}
