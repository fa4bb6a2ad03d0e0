using System.Diagnostics.Metrics;
using Microsoft.Net.Http.Headers;

namespace Signpost.Silo.Telemetry.Prometheus;

/// <summary>
/// GET /metrics: what the meter of this process and that of the runtime have measured since the start, as Prometheus reads it. Thread-safe.
/// </summary>
internal sealed class MetricsPage : IDisposable
{
    /// <summary>Meter of the runtime: garbage collections, threads, memory.</summary>
    public const string RuntimeMeter = "System.Runtime";

    private readonly Lock _reading = new();
    private readonly List<Family> _families = [];
    private readonly MeterListener _listener = new();
    private long _round;

    /// <summary>Listens to <paramref name="meter"/> and to the runtime's.</summary>
    public MetricsPage(Meter meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == meter || instrument.Meter.Name == RuntimeMeter)
            {
                var family = new Family(instrument);
                lock (_families)
                {
                    _families.Add(family);
                }

                listener.EnableMeasurementEvents(instrument, family);
            }
        };
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, family) => ((Family)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, family) => ((Family)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, family) => ((Family)family!).Record(value, tags));
        _listener.Start();
    }

    /// <summary>Answers GET /metrics in the form that the caller likes best.</summary>
    public Task WriteAsync(HttpContext context)
    {
        TextForm form = FormOf(context.Request.Headers.Accept);
        context.Response.ContentType = form.ContentType;
        return context.Response.WriteAsync(Write(form), context.RequestAborted);
    }

    /// <summary>The page.</summary>
    public string Write(TextForm form)
    {
        lock (_reading)
        {
            _round++;
            Family[] families;
            lock (_families)
            {
                families = [.. _families.OrderBy(family => family.Name, StringComparer.Ordinal)];
            }

            Array.ForEach(families, family => family.Round = _round);
            try
            {
                _listener.RecordObservableInstruments();
            }
            catch (AggregateException)
            {
                // What could not be looked up, for example of a collection that is being closed, is not on this page.
            }

            return PageText.Of(families, form);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    /// <summary>OpenMetrics for those who accept it as gladly as anything else, the older text for all others.</summary>
    internal static TextForm FormOf(IList<string?> accept)
    {
        if (!MediaTypeHeaderValue.TryParseList(accept!, out IList<MediaTypeHeaderValue>? types))
        {
            return TextForm.Plain;
        }

        double open = Best("application/openmetrics-text");
        return open > 0 && open >= Best("text/plain") ? TextForm.OpenMetrics : TextForm.Plain;

        double Best(string type) => types.Where(t => t.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase)).Select(t => t.Quality ?? 1).DefaultIfEmpty(0).Max();
    }
}
