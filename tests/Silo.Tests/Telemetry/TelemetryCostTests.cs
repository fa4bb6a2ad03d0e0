using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Tests.Support;
using Signpost.Silo.Eval;
using Signpost.Silo.Telemetry;
using Signpost.Silo.Tests.Support;
using Xunit.Abstractions;

namespace Signpost.Silo.Tests.Telemetry;

/// <summary>What it costs a query to be told of.</summary>
[Collection(UsesDemoCollection.Name)]
public sealed class TelemetryCostTests(DemoCollection demo, ITestOutputHelper output)
{
    [Fact]
    public void A_query_that_nobody_looks_at_allocates_nothing_for_metrics_slow_queries_and_traces()
    {
        using OpenCollection collection = OpenCollection.Open(demo.Collection, VectorPlace.Mapped, requireAll: true, new Work(1, null, default));
        using var threads = new SearchThreads(1, 10);
        using var telemetry = new SiloTelemetry(new TelemetryOptions { Silo = "local", SlowQuery = TimeSpan.FromHours(1) }, threads, _ => { });
        using Query query = collection.NewQuery();
        query.Set(demo.QueryVectors(1)[0]);
        var search = new SearchRequest(new SearchParameters(1, 2)); // as little work as there can be
        Hit[] hits = new Hit[1];
        RequestRecord request = telemetry.Begin(new DefaultHttpContext());

        Assert.Equal(0, Allocation.Least(1000, _ => Told()));

        // How long that takes is for docs/operations.md; nothing depends on it here.
        double told = Math.Min(NanosecondsOf(Told), NanosecondsOf(Told));
        double untold = Math.Min(NanosecondsOf(Untold), NanosecondsOf(Untold));
        output.WriteLine($"a search of {untold:0} ns takes {told - untold:0} ns more where it is told of");

        void Untold() => collection.Search(query, search, Deadline.None, hits);

        void Told()
        {
            QueryRecord record = telemetry.Begin(request, 0);
            Outcome<SearchAnswer> answer = collection.Search(query, search with { Report = record.Report }, Deadline.None, hits);
            telemetry.End(request, record, collection, search, answer, isCancelled: false);
        }
    }

    private static double NanosecondsOf(Action call)
    {
        const int Calls = 20_000;
        double start = ThreadClock.Seconds();
        for (int i = 0; i < Calls; i++)
        {
            call();
        }

        return (ThreadClock.Seconds() - start) / Calls * 1e9;
    }

    [Theory]
    [InlineData(null)]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")]
    public void A_request_that_is_not_traced_allocates_nothing_for_it_though_somebody_listens(string? parent)
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == SearchSpans.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        var headers = new DefaultHttpContext().Request.Headers;
        headers.TraceParent = parent;
        if (parent is null)
        {
            Assert.Equal(0, Allocation.Least(1000, _ => Assert.Null(Sampling.Begin(headers, 0))));
        }

        Assert.Null(Sampling.Begin(headers, 0));
    }

    [Fact]
    public void The_ratio_is_the_share_of_requests_that_begin_a_trace()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == SearchSpans.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        IHeaderDictionary headers = new DefaultHttpContext().Request.Headers;
        int traced = Enumerable.Range(0, 10_000).Count(_ => Sampling.Begin(headers, 0.1) is not null);
        Assert.InRange(traced, 800, 1200); // further off once in 10^10 runs
        Assert.All(Enumerable.Range(0, 100), _ => Assert.NotNull(Sampling.Begin(headers, 1)));
    }
}
