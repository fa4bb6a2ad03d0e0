using System.Diagnostics.Metrics;
using Signpost.Engine.Cluster;
using Signpost.Silo.Telemetry;
using Signpost.Silo.Telemetry.Prometheus;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests.Telemetry;

/// <summary>The page that Prometheus reads, from instruments of the test's own.</summary>
public sealed class MetricsPageTests : IDisposable
{
    private readonly Meter _meter = new("test");
    private readonly MetricsPage _page;

    public MetricsPageTests() => _page = new MetricsPage(_meter);

    public void Dispose()
    {
        _page.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public void A_counter_a_gauge_and_a_histogram_are_written_in_both_forms()
    {
        Counter<long> counter = _meter.CreateCounter<long>("test.bytes.sent", "By", "Bytes that were sent.");
        counter.Add(3, new KeyValuePair<string, object?>("to", "a"));
        counter.Add(4, new KeyValuePair<string, object?>("to", "a"));
        counter.Add(5, new KeyValuePair<string, object?>("to", "b"));
        _meter.CreateObservableGauge("test.waiting", () => 1.5, "{thing}", "Things that wait.");
        var advice = new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1, 10] };
        Histogram<double> histogram = _meter.CreateHistogram("test.duration", "s", "Time \"in\" all,\nwaiting\\included.", null, advice);
        foreach (double value in new[] { 0.05, 0.1, 0.11, 10, 11 })
        {
            histogram.Record(value);
        }

        string[] head = ["# TYPE test_bytes_sent_bytes_total counter", "# HELP test_bytes_sent_bytes_total Bytes that were sent."];
        string[] counts = ["test_bytes_sent_bytes_total{to=\"a\"} 7", "test_bytes_sent_bytes_total{to=\"b\"} 5"];
        string[] buckets =
        [
            "test_duration_seconds_bucket{le=\"0.1\"} 2", "test_duration_seconds_bucket{le=\"1.0\"} 3", "test_duration_seconds_bucket{le=\"10.0\"} 4",
            "test_duration_seconds_bucket{le=\"+Inf\"} 5", "test_duration_seconds_sum 21.259999999999998", "test_duration_seconds_count 5",
        ];
        Assert.Equal(
            [
                .. head, .. counts,
                "# TYPE test_duration_seconds histogram", @"# HELP test_duration_seconds Time ""in"" all,\nwaiting\\included.", .. buckets,
                "# TYPE test_waiting gauge", "# HELP test_waiting Things that wait.", "test_waiting 1.5", "",
            ],
            Own(TextForm.Plain));
        Assert.Equal(
            [
                "# TYPE test_bytes_sent_bytes counter", "# UNIT test_bytes_sent_bytes bytes", "# HELP test_bytes_sent_bytes Bytes that were sent.", .. counts,
                "# TYPE test_duration_seconds histogram", "# UNIT test_duration_seconds seconds",
                @"# HELP test_duration_seconds Time \""in\"" all,\nwaiting\\included.", .. buckets,
                "# TYPE test_waiting gauge", "# HELP test_waiting Things that wait.", "test_waiting 1.5", "# EOF", "",
            ],
            Own(TextForm.OpenMetrics));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Any_label_is_read_as_it_was_written(bool isOpenMetrics)
    {
        string[] values = ["", "a\"b", "a\\b", "a\nb", "a\\\"b", "ä}{,=", "\\n"];
        Counter<long> counter = _meter.CreateCounter<long>("test.odd", null, "Odd.");
        foreach (string value in values)
        {
            counter.Add(1, new KeyValuePair<string, object?>("odd.name", value));
        }

        var families = MetricsText.Parse(_page.Write(isOpenMetrics ? TextForm.OpenMetrics : TextForm.Plain), isOpenMetrics);
        MetricFamily odd = families.Values.Single(family => family.Name.StartsWith("test_odd", StringComparison.Ordinal));
        Assert.Equal(values.Order(StringComparer.Ordinal), odd.Samples.Select(sample => sample.Labels["odd_name"]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Labels_beyond_the_limit_share_one_series_and_nothing_is_lost()
    {
        Counter<long> counter = _meter.CreateCounter<long>("test.many", null, "Many.");
        for (int i = 0; i < Family.MostSeries * 3; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("n", $"{i}"));
            counter.Add(1, new KeyValuePair<string, object?>("n", "0"));
        }

        MetricFamily many = MetricsText.Parse(_page.Write(TextForm.Plain), false)["test_many_total"];
        Assert.Equal(Family.MostSeries + 1, many.Samples.Count);
        Assert.Equal(Family.MostSeries * 6, many.Samples.Sum(sample => sample.Value));
        Assert.Equal((Family.MostSeries * 3) + 1, many.Samples.Single(sample => sample.Labels.GetValueOrDefault("n") == "0").Value);
        Assert.Equal(Family.MostSeries * 2, many.Samples.Single(sample => sample.Labels.ContainsKey("otel_metric_overflow")).Value);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_observed_beyond_the_limit_is_added_up_anew_for_every_page(bool isCounter)
    {
        int there = Family.MostSeries + 5;
        if (isCounter)
        {
            _meter.CreateObservableCounter("test.many", Observe, null, "Many.");
        }
        else
        {
            _meter.CreateObservableGauge("test.many", Observe, null, "Many.");
        }

        for (int page = 0; page < 3; page++)
        {
            Assert.Equal(Enumerable.Range(Family.MostSeries, 5).Sum(), Shared());
        }

        there -= 3;
        Assert.Equal(Family.MostSeries + Family.MostSeries + 1, Shared());
        there -= 2;
        Assert.Null(Shared());

        IEnumerable<Measurement<int>> Observe() => Enumerable.Range(0, there).Select(n => new Measurement<int>(n, new KeyValuePair<string, object?>("n", $"{n}")));

        double? Shared()
        {
            MetricFamily many = MetricsText.Parse(_page.Write(TextForm.Plain), false)[isCounter ? "test_many_total" : "test_many"];
            Assert.Equal(Math.Min(there, Family.MostSeries + 1), many.Samples.Count);
            return many.Samples.SingleOrDefault(sample => sample.Labels.ContainsKey("otel_metric_overflow"))?.Value;
        }
    }

    [Fact]
    public void Calls_to_256_silos_are_told_apart_by_kind_and_outcome_and_so_are_their_times()
    {
        using var instruments = new Instruments();
        using var page = new MetricsPage(instruments.Meter);
        Tell(0, 256);
        Assert.Equal((256 * 9, 256, 0), Told());
        Tell(256, 257);
        Assert.Equal((256 * 9, 256, 9), Told());

        void Tell(int from, int to)
        {
            for (int silo = from; silo < to; silo++)
            {
                foreach (AskKind kind in Enum.GetValues<AskKind>())
                {
                    foreach (CallEnd end in Enum.GetValues<CallEnd>())
                    {
                        instruments.Called($"silo-{silo}", isHere: false, kind, end, TimeSpan.FromMilliseconds(1));
                    }
                }
            }
        }

        (int Calls, int Times, double Shared) Told()
        {
            var families = MetricsText.Parse(page.Write(TextForm.Plain), false);
            ILookup<bool, MetricSample> calls = families["signpost_silo_calls_total"].Samples.ToLookup(sample => sample.Labels.ContainsKey("otel_metric_overflow"));
            int times = families["signpost_silo_call_duration_seconds"].Samples.Count(sample => sample.Name.EndsWith("_count", StringComparison.Ordinal) && sample.Labels.ContainsKey("silo"));
            return (calls[false].Count(), times, calls[true].Sum(sample => sample.Value));
        }
    }

    [Fact]
    public void What_is_not_observed_any_more_is_not_told_any_more()
    {
        List<string> names = ["a", "b"];
        _meter.CreateObservableGauge("test.there", () => names.Select(name => new Measurement<int>(1, new KeyValuePair<string, object?>("name", name))), null, "There.");
        Assert.Equal(2, Count());
        names.Remove("a");
        Assert.Equal(1, Count());
        names.Add("c");
        Assert.Equal(2, Count());

        int Count() => MetricsText.Parse(_page.Write(TextForm.Plain), false)["test_there"].Samples.Count;
    }

    [Fact]
    public void An_observation_that_fails_takes_no_other_with_it()
    {
        _meter.CreateObservableGauge("test.broken", (Func<int>)Broken, null, "Broken.");
        _meter.CreateObservableGauge("test.whole", () => 1, null, "Whole.");
        var families = MetricsText.Parse(_page.Write(TextForm.Plain), false);
        Assert.True(families.ContainsKey("test_whole"));
        Assert.False(families.ContainsKey("test_broken"));

        static int Broken() => throw new ObjectDisposedException("collection");
    }

    [Fact]
    public void Pages_that_are_written_while_many_threads_record_are_whole_and_the_last_one_has_everything()
    {
        const int Threads = 4;
        const int Each = 20_000;
        Histogram<double> histogram = _meter.CreateHistogram<double>("test.busy", "s", "Busy.");
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(n => new Thread(() =>
        {
            for (int i = 0; i < Each; i++)
            {
                histogram.Record(i % 300, new KeyValuePair<string, object?>("n", (i % 3) switch { 0 => "a", 1 => "b", _ => "c" }));
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        do
        {
            MetricsText.Parse(_page.Write(TextForm.OpenMetrics), true);
        }
        while (threads.Any(thread => thread.IsAlive));

        MetricFamily busy = MetricsText.Parse(_page.Write(TextForm.OpenMetrics), true)["test_busy_seconds"];
        Assert.Equal(Threads * Each, busy.Samples.Where(sample => sample.Name.EndsWith("_count", StringComparison.Ordinal)).Sum(sample => sample.Value));
    }

    [Fact]
    public void The_runtime_tells_of_its_garbage_collections()
    {
        GC.Collect();
        var families = MetricsText.Parse(_page.Write(TextForm.Plain), false);
        Assert.True(families["dotnet_gc_collections_total"].Samples.Sum(sample => sample.Value) >= 1);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("*/*", false)]
    [InlineData("text/plain", false)]
    [InlineData("application/openmetrics-text", true)]
    [InlineData("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1", true)]
    [InlineData("application/openmetrics-text;q=0.4,text/plain;version=0.0.4;q=0.5", false)]
    [InlineData("application/openmetrics-text;q=0", false)]
    [InlineData("not a type", false)]
    public void The_form_is_the_one_that_the_caller_likes_best(string accept, bool isOpenMetrics) =>
        Assert.Equal(isOpenMetrics, MetricsPage.FormOf(accept.Length == 0 ? [] : [accept]).IsOpenMetrics);

    /// <summary>The lines of the test's own metrics.</summary>
    private string[] Own(TextForm form)
    {
        string page = _page.Write(form);
        MetricsText.Parse(page, form.IsOpenMetrics);
        return [.. page.Split('\n').Where(line => !line.Contains("dotnet_", StringComparison.Ordinal))];
    }
}
