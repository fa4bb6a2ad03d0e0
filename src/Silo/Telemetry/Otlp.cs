using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Signpost.Engine.Cluster;
using Signpost.Silo.Http;
using Signpost.Silo.Telemetry.Prometheus;

namespace Signpost.Silo.Telemetry;

/// <summary>
/// Sends metrics and traces to a collector, by OTLP over HTTP. A collector that is away costs what could not be sent, and nothing else.
/// Headers and the like for it are taken from the environment (OTEL_EXPORTER_OTLP_HEADERS), as the OpenTelemetry library does.
/// </summary>
internal sealed class Otlp : IDisposable
{
    /// <summary>Time for what is left when the process ends.</summary>
    private const int StopMs = 2000;

    private readonly MeterProvider _metrics;
    private readonly TracerProvider _traces;

    public Otlp(TelemetryOptions options)
    {
        ResourceBuilder resource = ResourceBuilder.CreateDefault()
            .AddService("signpost", serviceVersion: Server.Version, serviceInstanceId: options.Silo, autoGenerateServiceInstanceId: false);
        if (options.Cluster is { } cluster)
        {
            resource.AddAttributes([new KeyValuePair<string, object>("signpost.cluster", cluster)]);
        }

        _metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(Instruments.MeterName, MetricsPage.RuntimeMeter)
            .AddOtlpExporter((exporter, reader) =>
            {
                Aim(exporter, options.Otlp!, "v1/metrics");
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)options.OtlpInterval.TotalMilliseconds;
            })
            .Build();
        _traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource(SearchSpans.SourceName)
            .SetSampler(new AlwaysOnSampler()) // a span is begun only where it was decided to trace
            .AddOtlpExporter(exporter => Aim(exporter, options.Otlp!, "v1/traces"))
            .Build();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _traces.Shutdown(StopMs);
        _metrics.Shutdown(StopMs);
        _traces.Dispose();
        _metrics.Dispose();
    }

    private static void Aim(OtlpExporterOptions exporter, Uri collector, string path)
    {
        exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
        exporter.Endpoint = new Uri(collector.AbsoluteUri.TrimEnd('/') + "/" + path);
    }
}
