using Signpost.Engine.Base;
using Signpost.Silo.Telemetry;

namespace Signpost.Silo.Cli;

/// <summary>What the command line says about metrics, traces and slow queries.</summary>
internal static class TelemetrySettings
{
    /// <summary>The settings; a verb that calls <see cref="Read"/> has them.</summary>
    public static readonly Setting[] All = [Settings.Otlp, Settings.OtlpSeconds, Settings.TraceRatio, Settings.SlowQueryMs, Settings.SlowQueryFormat];

    /// <summary>What this run says.</summary>
    /// <param name="session">The run.</param>
    /// <param name="silo">Name of the silo.</param>
    /// <param name="cluster">Name of its cluster; null for a process that is alone.</param>
    public static TelemetryOptions Read(Session session, string silo, string? cluster) => new()
    {
        Otlp = session.Get(Settings.Otlp) is { } url ? Collector(url) : null,
        OtlpInterval = TimeSpan.FromSeconds(session.Get(Settings.OtlpSeconds)),
        TraceRatio = session.Get(Settings.TraceRatio),
        SlowQuery = TimeSpan.FromMilliseconds(session.Get(Settings.SlowQueryMs)),
        SlowQueryJson = session.Get(Settings.SlowQueryFormat) == LogFormat.Json,
        Cluster = cluster,
        Silo = silo,
    };

    private static Uri Collector(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri.Query.Length == 0
            ? uri
            : throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "--otlp", $"'{url}'", Settings.Otlp.Expected, "Name the collector, for example http://127.0.0.1:4318."));
}
