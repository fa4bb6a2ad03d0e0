namespace Signpost.Silo.Telemetry;

/// <summary>What a process tells of itself, and to whom.</summary>
internal sealed record TelemetryOptions
{
    /// <summary>Where metrics and traces are sent (OTLP over HTTP); null: nowhere.</summary>
    public Uri? Otlp { get; init; }

    /// <summary>Pause between two times that metrics are sent.</summary>
    public TimeSpan OtlpInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Share of the searches that begin a trace here, 0 .. 1; a caller's own trace goes on in any case.</summary>
    public double TraceRatio { get; init; } = 0.01;

    /// <summary>A query that takes longer is a line of the log; zero: none is.</summary>
    public TimeSpan SlowQuery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Whether such a line is JSON.</summary>
    public bool SlowQueryJson { get; init; }

    /// <summary>Name of the cluster; null for a process that is alone.</summary>
    public string? Cluster { get; init; }

    /// <summary>Name of the silo.</summary>
    public required string Silo { get; init; }
}
