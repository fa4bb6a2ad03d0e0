using System.Diagnostics.Metrics;
using System.Globalization;

namespace Signpost.Silo.Telemetry.Prometheus;

/// <summary>What a metric is to Prometheus.</summary>
internal enum FamilyKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>One metric: its name as Prometheus has it, and its series. Recording is thread-safe and allocates nothing once a series is known.</summary>
internal sealed class Family
{
    /// <summary>Series of a histogram, which has some twenty lines for each; what comes after them shares one, so that labels cannot fill the memory.</summary>
    public const int MostHistograms = 256;

    /// <summary>Series of any other metric: as many names of silos, with each of the nine words that a call to one has (or fewer).</summary>
    public const int MostSeries = 9 * MostHistograms;

    private static readonly double[] UsualBounds = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];
    private static readonly KeyValuePair<string, object?>[] Overflow = [new("otel_metric_overflow", "true")];

    private readonly Lock _adding = new();
    private readonly bool _isObserved;
    private volatile Dictionary<int, Series> _series = []; // by hash; replaced whole
    private volatile int _count;

    public Family(Instrument instrument)
    {
        Kind = KindOf(instrument);
        _isObserved = instrument.IsObservable;
        Unit = UnitOf(instrument.Unit);
        Name = NameOf(instrument.Name, Unit);
        Help = instrument.Description ?? "";
        Bounds = Kind == FamilyKind.Histogram ? BoundsOf(instrument) : null;
    }

    public FamilyKind Kind { get; }

    /// <summary>Name with its unit, without the _total of a counter.</summary>
    public string Name { get; }

    /// <summary>Unit in words, for example seconds; empty where there is none.</summary>
    public string Unit { get; }

    public string Help { get; }

    /// <summary>Upper bounds of the buckets of a histogram, ascending.</summary>
    public double[]? Bounds { get; }

    /// <summary>Number of the round in which observed values are told now.</summary>
    public long Round { get; set; }

    /// <summary>The series that have a value, in a stable order.</summary>
    public IEnumerable<Series> Known => _series.Values.SelectMany(Chain).Where(series => !_isObserved || series.Round == Round)
        .OrderBy(series => string.Join('\0', series.Labels.Select(label => label.Value)), StringComparer.Ordinal);

    /// <summary>Takes a measurement.</summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Series series = Find(tags) ?? Add(tags);
        if (_isObserved)
        {
            series.Observe(value, Round);
        }
        else if (Kind == FamilyKind.Histogram)
        {
            series.Count(value);
        }
        else
        {
            series.Add(value);
        }
    }

    private static IEnumerable<Series> Chain(Series? first)
    {
        for (Series? series = first; series is not null; series = series.Next)
        {
            yield return series;
        }
    }

    private static int HashOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var hash = default(HashCode);
        foreach (KeyValuePair<string, object?> tag in tags)
        {
            hash.Add(tag.Value);
        }

        return hash.ToHashCode();
    }

    private Series? Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Series? series = _series.GetValueOrDefault(HashOf(tags));
        while (series is not null && !series.Is(tags))
        {
            series = series.Next;
        }

        return series;
    }

    private Series Add(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_adding)
        {
            if (_count >= (Kind == FamilyKind.Histogram ? MostHistograms : MostSeries))
            {
                tags = Overflow;
            }

            if (Find(tags) is { } known)
            {
                return known;
            }

            int hash = HashOf(tags);
            var labels = new KeyValuePair<string, string>[tags.Length];
            for (int i = 0; i < labels.Length; i++)
            {
                labels[i] = new(tags[i].Key, Convert.ToString(tags[i].Value, CultureInfo.InvariantCulture) ?? "");
            }

            var added = new Series(labels, Bounds) { Next = _series.GetValueOrDefault(hash) };
            _series = new Dictionary<int, Series>(_series) { [hash] = added };
            _count++;
            return added;
        }
    }

    private static FamilyKind KindOf(Instrument instrument)
    {
        string type = instrument.GetType().Name;
        return type.StartsWith("Histogram", StringComparison.Ordinal) ? FamilyKind.Histogram
            : type.StartsWith("Counter", StringComparison.Ordinal) || type.StartsWith("ObservableCounter", StringComparison.Ordinal) ? FamilyKind.Counter
            : FamilyKind.Gauge;
    }

    private static double[] BoundsOf(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(bound => (double)bound)],
        _ => UsualBounds,
    };

    private static string UnitOf(string? unit) => unit switch
    {
        "s" => "seconds",
        "By" => "bytes",
        _ => "",
    };

    /// <summary>Name and unit in the letters that Prometheus knows.</summary>
    private static string NameOf(string name, string unit)
    {
        string plain = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
        return unit.Length == 0 || plain.EndsWith("_" + unit, StringComparison.Ordinal) ? plain : $"{plain}_{unit}";
    }
}
