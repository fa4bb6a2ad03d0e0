using System.Diagnostics;
using Microsoft.Extensions.Primitives;
using Signpost.Engine.Cluster;

namespace Signpost.Silo.Telemetry;

/// <summary>Decides which requests are traced: those of callers that trace them, and a share of all others.</summary>
internal static class Sampling
{
    private const string Name = "POST /v1/collections/{name}/search";

    /// <summary>The span of a search request; null where it is not traced, and nothing is allocated.</summary>
    /// <param name="headers">Of the request; traceparent and tracestate are those of W3C Trace Context.</param>
    /// <param name="ratio">Share of the requests without traceparent that begin a trace.</param>
    public static Activity? Begin(IHeaderDictionary headers, double ratio)
    {
        if (!SearchSpans.Source.HasListeners())
        {
            return null;
        }

        StringValues sent = headers.TraceParent;
        bool isSent = ActivityContext.TryParse(sent.Count == 1 ? sent[0] : null, headers.TraceState, isRemote: true, out ActivityContext parent);
        bool isTraced = isSent ? parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) : Random.Shared.NextDouble() < ratio;
        Activity? span = isTraced ? SearchSpans.Begin(Name, ActivityKind.Server, parent) : null;
        span?.SetTag("http.request.method", "POST");
        span?.SetTag("http.route", "/v1/collections/{name}/search");
        return span;
    }
}
