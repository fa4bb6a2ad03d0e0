using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests.Telemetry;

/// <summary>What a server tells of itself, as those who run it see it.</summary>
[Collection(UsesDemoCollection.Name)]
public sealed class TelemetryServerTests(DemoCollection demo)
{
    private const string Search = "/v1/collections/demo/search";

    [Fact]
    public async Task The_page_counts_queries_by_how_they_ended_in_both_forms()
    {
        using var server = new ServerProcess(demo);
        float[] vector = demo.QueryVectors(1)[0];
        await PostAsync(server.Http, new { vectors = new[] { vector, vector, [1f] }, k = 3, mode = "exact" }); // two found, one refused
        await PostAsync(server.Http, new { vectors = Enumerable.Repeat(vector, 151) }, HttpStatusCode.ServiceUnavailable); // too many at once
        await PostAsync(server.Http, new { vector, k = 0 }, HttpStatusCode.BadRequest);
        await PostAsync(server.Http, new { vector, k = "three" }, HttpStatusCode.BadRequest); // no JSON of a search
        using (HttpResponseMessage unknown = await server.Http.PostAsJsonAsync("/v1/collections/nobody-knows-this/search", new { vector }))
        {
            Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        }

        (string plain, string type) = await PageAsync(server.Http, "text/plain");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", type);
        Assert.DoesNotContain("nobody-knows-this", plain); // labels are not for callers to choose
        IReadOnlyDictionary<string, MetricFamily> families = MetricsText.Parse(plain, isOpenMetrics: false);
        var outcomes = families["signpost_queries_total"].Samples.ToDictionary(sample => sample.Labels["outcome"], sample => sample.Value);
        Assert.Equal(new() { ["ok"] = 2, ["refused"] = 3, ["busy"] = 151 }, outcomes);
        Assert.Equal(3, Value("signpost_query_duration_seconds_count"));
        Assert.Equal(2, Value("signpost_query_hops_count"));
        Assert.True(Value("signpost_query_distance_computations_sum") > Value("signpost_query_hops_sum"));
        Assert.Equal(DemoCollection.Count, Value("signpost_collection_open_vectors"));
        Assert.True(Value("signpost_collection_resident_size_bytes") > 0);
        Assert.Equal(1, Value("signpost_ready"));
        Assert.Equal(2, families["signpost_shards"].Samples.Single(sample => sample.Labels["state"] == "serving").Value);

        (string open, type) = await PageAsync(server.Http, "application/openmetrics-text; version=1.0.0");
        Assert.Equal("application/openmetrics-text; version=1.0.0; charset=utf-8", type);
        Assert.Contains("signpost_query_duration_seconds", MetricsText.Parse(open, isOpenMetrics: true).Keys);

        double Value(string name) => Assert.Single(families.Values.SelectMany(family => family.Samples), sample => sample.Name == name).Value;
    }

    [ProgramFact("promtool", "prometheus")]
    public async Task Promtool_has_nothing_to_say_of_the_page()
    {
        using var server = new ServerProcess(demo);
        await PostAsync(server.Http, new { vector = demo.QueryVectors(1)[0] });
        (string page, _) = await PageAsync(server.Http, "text/plain");
        using var folder = new TestFolder();
        File.WriteAllText(folder.At("page"), page);

        Run check = SignpostProcess.RunOther("bash", folder, "-c", "promtool check metrics < page");

        // The names of the runtime's metrics are not ours to choose.
        string[] words = [.. (check.Output + check.Error).Split('\n').Where(line => line.Length > 0 && !line.StartsWith("dotnet_", StringComparison.Ordinal))];
        Assert.Equal([], words);
    }

    [Fact]
    public async Task An_answer_explains_itself_to_those_who_ask()
    {
        using var server = new ServerProcess(demo);
        float[] vector = demo.QueryVectors(1)[0];
        JsonElement answer = await PostAsync(server.Http, new { vector, k = 3, l = 40, explain = true });
        JsonElement explain = answer.GetProperty("explain");
        Assert.Equal(("demo", 3, 40, "codes+rerank", "ok"), (
            explain.GetProperty("collection").GetString(), explain.GetProperty("k").GetInt32(), explain.GetProperty("l").GetInt32(),
            explain.GetProperty("mode").GetString(), explain.GetProperty("outcome").GetString()));
        JsonElement call = Assert.Single(explain.GetProperty("calls").EnumerateArray());
        Assert.Equal(("local", "first", "answered"), (call.GetProperty("silo").GetString(), call.GetProperty("kind").GetString(), call.GetProperty("outcome").GetString()));
        JsonElement[] shards = [.. call.GetProperty("work").EnumerateArray()];
        Assert.Equal([0, 1], shards.Select(shard => shard.GetProperty("shard").GetInt32()));
        Assert.Equal(answer.GetProperty("stats").GetProperty("hops").GetInt64(), shards.Sum(shard => shard.GetProperty("hops").GetInt64()));

        JsonElement batch = await PostAsync(server.Http, new { vectors = new[] { vector, [1f] }, explain = true });
        JsonElement[] items = [.. batch.GetProperty("results").EnumerateArray()];
        Assert.Equal(["ok", "refused"], items.Select(item => item.GetProperty("explain").GetProperty("outcome").GetString()));
        Assert.Equal(0, items[1].GetProperty("explain").GetProperty("calls").GetArrayLength());

        JsonElement silent = await PostAsync(server.Http, new { vector, explain = false });
        Assert.False(silent.TryGetProperty("explain", out _));
    }

    [Fact]
    public async Task A_slow_query_is_one_line_without_its_vector_and_others_are_none()
    {
        using SignpostProcess process = Start("--slow-query-ms", "1", "--slow-query-format", "json");
        using HttpClient http = ClientOf(process);
        float[] vector = [.. Enumerable.Repeat(0.123456f, DemoCollection.Dim)];
        await PostAsync(http, new { vectors = Enumerable.Repeat(vector, 60), k = 100, l = 2000 }); // one thread: the last ones wait long

        process.Signal(SignpostProcess.Terminate);
        Run run = process.End();
        string[] lines = run.Error.TrimEnd().Split('\n');
        Assert.NotEmpty(run.Error);
        Assert.DoesNotContain("0.123456", run.Error);
        JsonElement[] slow = [.. lines.Select(line => JsonDocument.Parse(line["signpost: ".Length..]).RootElement)];
        Assert.All(slow, line =>
        {
            Assert.Equal("slow_query", line.GetProperty("event").GetString());
            Assert.True(line.GetProperty("query").GetProperty("took_ms").GetDouble() > 1);
            Assert.Equal(100, line.GetProperty("query").GetProperty("k").GetInt32());
        });
    }

    [Fact]
    public async Task Without_a_threshold_no_query_is_slow()
    {
        using SignpostProcess process = Start("--slow-query-ms", "0");
        using HttpClient http = ClientOf(process);
        await PostAsync(http, new { vectors = Enumerable.Repeat(demo.QueryVectors(1)[0], 60), k = 100, l = 2000 });
        (string page, _) = await PageAsync(http, "text/plain");
        Assert.DoesNotContain("signpost_query_slow_total", page);
        process.Signal(SignpostProcess.Terminate);
        Assert.Equal("", process.End().Error);
    }

    [Fact]
    public async Task The_cluster_view_tells_the_traffic_of_the_last_seconds()
    {
        using var server = new ServerProcess(demo);
        JsonElement silo = default;
        for (DateTime end = DateTime.UtcNow.AddSeconds(60); DateTime.UtcNow < end; await Task.Delay(200))
        {
            await PostAsync(server.Http, new { vectors = demo.QueryVectors(20) });
            JsonElement cluster = await server.Http.GetFromJsonAsync<JsonElement>("/v1/cluster");
            silo = cluster.GetProperty("silos")[0];
            if (silo.GetProperty("queries_per_second").GetDouble() > 0)
            {
                break;
            }
        }

        Assert.True(silo.GetProperty("queries_per_second").GetDouble() > 0);
        Assert.True(silo.GetProperty("latency_p50_ms").GetDouble() > 0);
        Assert.True(silo.GetProperty("latency_p99_ms").GetDouble() >= silo.GetProperty("latency_p50_ms").GetDouble());
        Assert.InRange(silo.GetProperty("busy_share").GetDouble(), 0, 1);
    }

    [Fact]
    public async Task Metrics_and_traces_reach_a_collector()
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync();
        using SignpostProcess process = Start("--otlp", collector.Url, "--otlp-seconds", "1", "--trace-ratio", "0");
        using HttpClient http = ClientOf(process);
        const string Trace = "0af7651916cd43dd8448eb211c80319c";
        await SearchAsync($"00-{Trace}-b7ad6b7169203331-01"); // traced by its caller
        await SearchAsync("00-11111111111111111111111111111111-b7ad6b7169203331-00"); // its caller does not want it traced
        await SearchAsync(null); // and at 0 none begins here
        await SearchAsync("00-22222222222222222222222222222222-b7ad6b7169203331-01", "no vector", HttpStatusCode.BadRequest);
        process.Signal(SignpostProcess.Terminate);
        Assert.Equal(0, process.End().ExitCode); // what was not sent yet is sent now

        Assert.Empty(collector.Faults);
        Assert.Equal("POST /v1/collections/{name}/search", Assert.Single(collector.Spans, span => span.TraceId.StartsWith('2')).Name);
        ReceivedSpan[] spans = [.. collector.Spans.Where(span => !span.TraceId.StartsWith('2'))];
        Assert.All(spans, span => Assert.Equal(("Signpost", Trace), (span.Scope, span.TraceId)));
        ReceivedSpan Only(string name) => Assert.Single(spans, span => span.Name == name);
        ReceivedSpan server = Only("POST /v1/collections/{name}/search");
        Assert.Equal("b7ad6b7169203331", server.ParentSpanId);
        Assert.Contains("service.name=signpost", server.Resource);
        Assert.Contains("service.instance.id=local", server.Resource);
        Assert.Equal(server.SpanId, Only("search").ParentSpanId);
        Assert.Equal(Only("search").SpanId, Only("ask silo").ParentSpanId);
        ReceivedSpan[] shards = [.. spans.Where(span => span.Name == "search shard")];
        Assert.Equal(2, shards.Length);
        Assert.All(shards, span => Assert.Equal(Only("ask silo").SpanId, span.ParentSpanId));
        Assert.Equal(5, spans.Length);
        Assert.Contains(collector.Metrics, metric => (metric.Scope, metric.Name) == ("Signpost", "signpost.query.duration"));
        Assert.Contains(collector.Metrics, metric => metric.Scope == "System.Runtime");

        async Task SearchAsync(string? parent, object? vector = null, HttpStatusCode expected = HttpStatusCode.OK)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Search) { Content = JsonContent.Create(new { vector = vector ?? demo.QueryVectors(1)[0] }) };
            if (parent is not null)
            {
                request.Headers.Add("traceparent", parent);
            }

            using HttpResponseMessage response = await http.SendAsync(request);
            Assert.Equal(expected, response.StatusCode);
        }
    }

    [Fact]
    public async Task A_collector_that_is_away_is_nobodys_trouble()
    {
        using SignpostProcess process = Start("--otlp", "http://127.0.0.1:9", "--otlp-seconds", "1", "--trace-ratio", "1");
        using HttpClient http = ClientOf(process);
        for (int i = 0; i < 3; i++)
        {
            await PostAsync(http, new { vectors = demo.QueryVectors(50) });
        }

        process.Signal(SignpostProcess.Terminate);
        Run run = process.End();
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    [Theory]
    [InlineData("--otlp", "ftp://host")]
    [InlineData("--otlp", "somewhere")]
    [InlineData("--trace-ratio", "1.5")]
    [InlineData("--trace-ratio", "-0.1")]
    [InlineData("--slow-query-ms", "-1")]
    public void A_setting_out_of_range_is_refused(string setting, string value)
    {
        Run run = SignpostProcess.Run(demo.Root, "serve", "--collection", demo.Collection, "--url", "http://127.0.0.1:0", setting, value);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains($"{setting}: got '{value}'", run.Error);
    }

    private static HttpClient ClientOf(SignpostProcess process) => new() { BaseAddress = new Uri(process.FirstLine().Split(" at ")[1]) };

    private static async Task<(string Page, string Type)> PageAsync(HttpClient http, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics") { Headers = { { "accept", accept } } };
        using HttpResponseMessage response = await http.SendAsync(request);
        return (await response.Content.ReadAsStringAsync(), response.Content.Headers.ContentType!.ToString());
    }

    private static async Task<JsonElement> PostAsync(HttpClient http, object body, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using HttpResponseMessage response = await http.PostAsJsonAsync(Search, body);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(expected == response.StatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private SignpostProcess Start(params string[] more) => SignpostProcess.Start(
        demo.Root, ["serve", "--collection", demo.Collection, "--url", "http://127.0.0.1:0", "--threads", "1", "--quiet", .. more]);
}
