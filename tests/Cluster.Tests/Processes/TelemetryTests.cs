using System.Net.Http.Json;
using System.Text.Json;
using Signpost.Client;
using Signpost.Silo.Tests.Support;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>What silos tell of themselves and of each other.</summary>
public sealed class TelemetryTests(DemoCollection demo, RedisFixture redis) : IClassFixture<DemoCollection>, IClassFixture<RedisFixture>
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";

    [RedisFact]
    public async Task A_query_is_seen_in_both_silos_in_its_trace_its_explanation_their_metrics_and_the_cluster_view()
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync();
        using var cluster = new SiloCluster(
            2, demo.Root, $"127.0.0.1:{redis.Server.Port}",
            _ => ["--collection", "demo", "--replicas", "1", "--otlp", collector.Url, "--otlp-seconds", "1", "--trace-ratio", "0"]);
        await cluster.UntilAsync("silo-1", info => info.Collections.Length > 0 && info.Collections[0].Shards.All(shard => shard.Replicas.Any(r => r.State == "serving"))
            && info.Collections[0].Shards.SelectMany(shard => shard.Replicas).Select(r => r.Silo).Distinct().Count() == 2, "a shard in each of two silos");
        await cluster.UntilAsync("silo-2", info => info.Silos.Length == 2, "the other one knows of both");
        using var http = new HttpClient { BaseAddress = new Uri(cluster.Url("silo-1")) };

        JsonElement answer = await SearchAsync(http, traced: true);
        JsonElement[] calls = [.. answer.GetProperty("explain").GetProperty("calls").EnumerateArray()];
        Assert.Equal(["silo-1", "silo-2"], calls.Select(call => call.GetProperty("silo").GetString()).Order());
        Assert.All(calls, call => Assert.Equal("answered", call.GetProperty("outcome").GetString()));
        Assert.Equal([0, 1], calls.SelectMany(call => call.GetProperty("work").EnumerateArray()).Select(shard => shard.GetProperty("shard").GetInt32()).Order());
        Assert.Equal(Trace, answer.GetProperty("explain").GetProperty("trace_id").GetString());

        IReadOnlyDictionary<string, MetricFamily> first = await PageAsync(cluster.Url("silo-1"));
        IReadOnlyDictionary<string, MetricFamily> second = await PageAsync(cluster.Url("silo-2"));
        Assert.Equal(1, first["signpost_leader"].Samples[0].Value + second["signpost_leader"].Samples[0].Value);
        Assert.All(new[] { first, second }, page =>
        {
            Assert.Equal(2, page["signpost_cluster_silos"].Samples[0].Value);
            Assert.Equal(1, page["signpost_lease_held"].Samples[0].Value);
            Assert.Equal(1, page["signpost_shards"].Samples.Single(sample => sample.Labels["state"] == "serving").Value);
        });
        Assert.Contains(first["signpost_silo_call_duration_seconds"].Samples, sample => sample.Labels["silo"] == "silo-2");
        Assert.Equal(1, second["signpost_search_done_total"].Samples.Single(sample => sample.Labels["lane"] == "silos").Value);

        ClusterInfo seen = await TrafficSeenBySecondAsync(cluster, http);
        SiloInfo told = seen.Silos.Single(silo => silo.Name == "silo-1");
        Assert.True(told.LatencyP99Ms >= told.LatencyP50Ms && told.LatencyP50Ms > 0, $"{told}");
        Assert.Equal(0, seen.Silos.Single(silo => silo.Name == "silo-2").QueriesPerSecond); // it coordinates none

        Assert.Equal(0, cluster.Stop("silo-1").ExitCode);
        Assert.Equal(0, cluster.Stop("silo-2").ExitCode);
        Assert.Empty(collector.Faults);
        ReceivedSpan[] spans = [.. collector.Spans.Where(span => span.TraceId == Trace)];
        ReceivedSpan there = Assert.Single(spans, span => span.Name == "search for silo");
        Assert.Contains("service.instance.id=silo-2", there.Resource);
        ReceivedSpan call = Assert.Single(spans, span => span.SpanId == there.ParentSpanId);
        Assert.Equal("ask silo", call.Name);
        Assert.Contains("service.instance.id=silo-1", call.Resource);
        Assert.Equal(2, spans.Count(span => span.Name == "search shard"));
        Assert.Contains(collector.Metrics, metric => metric.Name == "signpost.leader" && metric.Resource.Contains("silo-2", StringComparison.Ordinal));
    }

    [RedisFact]
    public async Task Shards_that_have_lost_a_copy_are_counted_until_they_have_it_back()
    {
        using var cluster = new SiloCluster(2, demo.Root, $"127.0.0.1:{redis.Server.Port}", _ => ["--collection", "demo", "--replicas", "2"]);
        await cluster.UntilWholeAsync("silo-1");
        Assert.Equal((0, 0), await LackingAsync());

        cluster.Signal("silo-2", SiloCluster.Kill);
        await cluster.UntilAsync("silo-1", info => info.Collections[0].Shards.All(shard => shard.Replicas.Count(r => r.State == "serving") == 1), "the dead one serves no more");
        Assert.Equal((2, 0), await LackingAsync());

        cluster.Start("silo-2");
        await cluster.UntilWholeAsync("silo-1");
        Assert.Equal((0, 0), await LackingAsync());

        async Task<(double Underreplicated, double Unserved)> LackingAsync()
        {
            IReadOnlyDictionary<string, MetricFamily> page = await PageAsync(cluster.Url("silo-1"));
            return (page["signpost_collection_underreplicated_shards"].Samples.Single().Value, page["signpost_collection_unserved_shards"].Samples.Single().Value);
        }
    }

    private async Task<ClusterInfo> TrafficSeenBySecondAsync(SiloCluster cluster, HttpClient http)
    {
        for (DateTime end = DateTime.UtcNow.AddSeconds(60); DateTime.UtcNow < end; await Task.Delay(100))
        {
            await SearchAsync(http, traced: false);
            ClusterInfo info = await cluster.AskAsync("silo-2");
            if (info.Silos.FirstOrDefault(silo => silo.Name == "silo-1")?.QueriesPerSecond > 0)
            {
                return info;
            }
        }

        throw new TimeoutException("no silo told the other of its queries");
    }

    private static async Task<IReadOnlyDictionary<string, MetricFamily>> PageAsync(string url)
    {
        using var http = new HttpClient { BaseAddress = new Uri(url) };
        return MetricsText.Parse(await http.GetStringAsync("/metrics"), isOpenMetrics: false);
    }

    private async Task<JsonElement> SearchAsync(HttpClient http, bool traced)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/collections/demo/search")
        {
            Content = JsonContent.Create(new { vector = demo.QueryVectors(1)[0], explain = true, require = "full" }),
        };
        if (traced)
        {
            request.Headers.Add("traceparent", $"00-{Trace}-b7ad6b7169203331-01");
        }

        using HttpResponseMessage response = await http.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }
}
