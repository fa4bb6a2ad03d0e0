using System.Net;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests;

[Collection(UsesDemoCollection.Name)]
public sealed class ServeTests(DemoCollection demo, ServerProcess server) : IClassFixture<ServerProcess>
{
    private const string Search = "/v1/collections/demo/search";

    [Fact]
    public async Task The_server_says_that_it_lives_and_what_it_serves()
    {
        Assert.Equal("ok", (await GetAsync("/health")).GetProperty("status").GetString());
        Assert.Equal("ready", (await GetAsync("/ready")).GetProperty("status").GetString());
        JsonElement collection = Assert.Single((await GetAsync("/v1/collections")).GetProperty("collections").EnumerateArray());
        Assert.Equal("demo", collection.GetProperty("name").GetString());
        JsonElement same = await GetAsync("/v1/collections/demo");
        Assert.Equal(collection.GetRawText(), same.GetRawText());
        Assert.Equal(DemoCollection.Count, same.GetProperty("vectors").GetInt64());
    }

    [Fact]
    public async Task A_program_is_told_where_the_server_answers_as_json()
    {
        using SignpostProcess json = SignpostProcess.Start(demo.Root, "serve", "--collection", demo.Collection, "--url", "http://127.0.0.1:0", "--json", "--quiet");
        for (DateTime end = DateTime.UtcNow.AddSeconds(60); !json.Output.TrimEnd().EndsWith("\n}", StringComparison.Ordinal); await Task.Delay(20))
        {
            Assert.True(json.IsRunning && DateTime.UtcNow < end, json.Error);
        }

        JsonElement report = JsonDocument.Parse(json.Output).RootElement;
        Assert.Equal("demo", report.GetProperty("serving").GetString());
        using var http = new HttpClient { BaseAddress = new Uri(report.GetProperty("url").GetString()!) };
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/ready")).StatusCode);
        json.Signal(SignpostProcess.Terminate);
        Run ended = json.End();
        Assert.Equal((0, json.Output), (ended.ExitCode, ended.Output)); // nothing but the one object
    }

    [Fact]
    public async Task The_server_tells_who_holds_what()
    {
        JsonElement cluster = await GetAsync("/v1/cluster");
        Assert.Equal("embedded", cluster.GetProperty("runtime").GetString());
        Assert.Equal(1, cluster.GetProperty("api").GetInt32());
        JsonElement silo = Assert.Single(cluster.GetProperty("silos").EnumerateArray());
        Assert.Equal(cluster.GetProperty("silo").GetString(), silo.GetProperty("name").GetString());
        Assert.Equal(server.Url.TrimEnd('/'), silo.GetProperty("url").GetString());
        Assert.Equal("serving", silo.GetProperty("state").GetString());
        Assert.Equal(2, silo.GetProperty("shards").GetInt32());
        Assert.InRange(silo.GetProperty("resident_bytes").GetInt64(), 1, silo.GetProperty("memory_bytes").GetInt64());
        JsonElement collection = Assert.Single(cluster.GetProperty("collections").EnumerateArray());
        Assert.Equal("demo", collection.GetProperty("name").GetString());
        Assert.Equal(DemoCollection.Count, collection.GetProperty("vectors").GetInt64());
        JsonElement[] shards = [.. collection.GetProperty("shards").EnumerateArray()];
        Assert.Equal([0, 8192], shards.Select(s => s.GetProperty("slot_from").GetInt32()));
        Assert.Equal([8192, 16384], shards.Select(s => s.GetProperty("slot_to").GetInt32()));
        Assert.All(shards, s => Assert.Equal("serving", Assert.Single(s.GetProperty("replicas").EnumerateArray()).GetProperty("state").GetString()));
    }

    [Fact]
    public async Task Every_answer_tells_the_version_of_the_api_and_another_one_is_refused()
    {
        foreach (string path in new[] { "/health", "/v1/collections", "/v1/collections/other", "/nowhere", "/openapi/v1.json" })
        {
            using HttpResponseMessage response = await server.Http.GetAsync(path);
            Assert.Equal("1", response.Headers.GetValues("Signpost-Api").Single());
        }

        foreach ((string version, HttpStatusCode status) in new[] { ("1", HttpStatusCode.OK), ("2", HttpStatusCode.BadRequest), ("", HttpStatusCode.BadRequest) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/collections") { Headers = { { "Signpost-Api", version } } };
            using HttpResponseMessage response = await server.Http.SendAsync(request);
            Assert.Equal(status, response.StatusCode);
            if (status != HttpStatusCode.OK)
            {
                await AssertProblemAsync(response, status, "UnsupportedVersion");
            }
        }
    }

    [Fact]
    public void The_server_ends_in_order_when_it_is_told_to()
    {
        using var other = new ServerProcess(demo);
        Assert.Equal(0, other.Stop().ExitCode);
    }

    [Fact]
    public async Task A_vector_is_answered_with_hits_coverage_and_stats()
    {
        JsonElement answer = await PostAsync(new { vector = demo.QueryVectors(1)[0], k = 5, l = 50, mode = "exact", require = "full" });
        JsonElement[] hits = [.. answer.GetProperty("hits").EnumerateArray()];
        Assert.Equal(5, hits.Length);
        Assert.Equal(hits.Select(h => h.GetProperty("distance").GetSingle()).Order(), hits.Select(h => h.GetProperty("distance").GetSingle()));
        Assert.Equal(2, answer.GetProperty("coverage").GetProperty("shards_answered").GetInt32());
        Assert.Equal(DemoCollection.Count, answer.GetProperty("coverage").GetProperty("vectors_answered").GetInt64());
        Assert.True(answer.GetProperty("stats").GetProperty("hops").GetInt64() > 0);
        Assert.False(answer.GetProperty("stats").GetProperty("deadline_reached").GetBoolean());
    }

    [Fact]
    public async Task A_binary_batch_gives_the_same_as_json()
    {
        const int Queries = 20;
        const int K = 6;
        float[][] vectors = demo.QueryVectors(Queries);
        JsonElement json = await PostAsync(new { vectors, k = K, l = 40 });
        byte[] body = MemoryMarshal.AsBytes(vectors.SelectMany(v => v).ToArray().AsSpan()).ToArray();
        using HttpResponseMessage response = await server.Http.PostAsync($"{Search}?k={K}&l=40", Binary(body));
        Assert.Equal("application/octet-stream", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("2", response.Headers.GetValues("Signpost-Shards-Answered").Single());
        using var reader = new BinaryReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal((uint)Queries, reader.ReadUInt32());
        Assert.Equal((uint)K, reader.ReadUInt32());
        ulong[] ids = [.. Enumerable.Range(0, Queries * K).Select(_ => reader.ReadUInt64())];
        float[] distances = [.. Enumerable.Range(0, Queries * K).Select(_ => reader.ReadSingle())];
        JsonElement[] hits = [.. json.GetProperty("results").EnumerateArray().SelectMany(r => r.GetProperty("hits").EnumerateArray())];
        Assert.Equal(hits.Select(h => h.GetProperty("id").GetUInt64()), ids);
        Assert.Equal(hits.Select(h => h.GetProperty("distance").GetSingle()), distances);
    }

    [Fact]
    public async Task Each_item_of_a_batch_has_its_own_status()
    {
        JsonElement answer = await PostAsync(new { vectors = new[] { demo.QueryVectors(1)[0], [1f, 2f], null } });
        JsonElement[] items = [.. answer.GetProperty("results").EnumerateArray()];
        Assert.Equal("ok", items[0].GetProperty("status").GetString());
        Assert.Equal(10, items[0].GetProperty("hits").GetArrayLength());
        Assert.Equal("WrongDimension", items[1].GetProperty("status").GetString());
        Assert.Equal("16", items[1].GetProperty("problem").GetProperty("expected").GetString());
        Assert.False(items[1].TryGetProperty("hits", out _));
        Assert.Equal("WrongDimension", items[2].GetProperty("status").GetString());
    }

    [Theory]
    [InlineData("""{"vector": [1, 2]}""", HttpStatusCode.BadRequest, "WrongDimension")]
    [InlineData("""{"vector": VECTOR, "k": 0}""", HttpStatusCode.BadRequest, "InvalidArgument")]
    [InlineData("""{"vector": VECTOR, "k": 20, "l": 10}""", HttpStatusCode.BadRequest, "InvalidArgument")]
    [InlineData("""{"vector": VECTOR, "k": 1000000}""", HttpStatusCode.BadRequest, "InvalidArgument")]
    [InlineData("""{"vector": VECTOR, "mode": "fast"}""", HttpStatusCode.BadRequest, "InvalidArgument")]
    [InlineData("""{"vector": VECTOR, "timeout_ms": 0}""", HttpStatusCode.BadRequest, "InvalidArgument")]
    [InlineData("""{"vector": VECTOR, "require": "most"}""", HttpStatusCode.BadRequest, "InvalidArgument")]
    [InlineData("""{"vector": VECTOR, "kk": 3}""", HttpStatusCode.BadRequest, "InvalidArgument")]
    [InlineData("""{"k": 3}""", HttpStatusCode.BadRequest, "InvalidArgument")]
    [InlineData("""{"vectors": []}""", HttpStatusCode.BadRequest, "InvalidArgument")]
    [InlineData("""{"vector": [1e40]}""", HttpStatusCode.BadRequest, "WrongDimension")]
    [InlineData("""{"vector": """, HttpStatusCode.BadRequest, "InvalidArgument")]
    [InlineData("null", HttpStatusCode.BadRequest, "InvalidArgument")]
    public async Task A_bad_request_is_refused_with_a_stable_code_and_a_way_to_mend_it(string body, HttpStatusCode status, string code)
    {
        string text = body.Replace("VECTOR", JsonSerializer.Serialize(demo.QueryVectors(1)[0]));
        using HttpResponseMessage response = await server.Http.PostAsync(Search, new StringContent(text, Encoding.UTF8, "application/json"));
        await AssertProblemAsync(response, status, code);
    }

    [Theory]
    [InlineData("""{"vector": [NaN]}""", "text that is not JSON at $.vector[0] (line 1, byte 13)")]
    [InlineData("""{"vector": ["a"]}""", "a value of the wrong type or size at $.vector[0]")]
    [InlineData("""{"vector": [1], "k": 1.5}""", "a value of the wrong type or size at $.k")]
    [InlineData("""{"vector": [1], "k": 99999999999}""", "a value of the wrong type or size at $.k")]
    [InlineData("""{"vector": [1], "kk": 1}""", "an unknown name at $.kk")]
    [InlineData("""{"vector": [1], "vectors": [[1]]}""", "both vector and vectors")]
    public async Task A_malformed_body_is_refused_in_words_of_the_api(string body, string got)
    {
        using HttpResponseMessage response = await server.Http.PostAsync(Search, new StringContent(body, Encoding.UTF8, "application/json"));
        string text = await response.Content.ReadAsStringAsync();
        Assert.StartsWith(got, JsonDocument.Parse(text).RootElement.GetProperty("got").GetString());
        Assert.DoesNotContain("System.", text);
        Assert.DoesNotContain("Signpost.Silo", text);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("text/plain")]
    [InlineData("application/json; charset=latin9")]
    [InlineData("application/jsonp")]
    public async Task A_body_of_another_content_type_is_refused(string? type)
    {
        using var content = new ByteArrayContent("{}"u8.ToArray());
        if (type is not null)
        {
            content.Headers.TryAddWithoutValidation("content-type", type);
        }

        using HttpResponseMessage response = await server.Http.PostAsync(Search, content);
        await AssertProblemAsync(response, HttpStatusCode.UnsupportedMediaType, "InvalidArgument");
        Assert.Equal("", server.Error);
    }

    [Fact]
    public void A_port_that_is_taken_is_refused_in_one_sentence()
    {
        Run run = SignpostProcess.Run(demo.Root, "serve", "--collection", demo.Collection, "--url", server.Http.BaseAddress!.ToString().TrimEnd('/'));
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("a port that is free", run.Error);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_request_in_flight_is_answered_when_the_server_is_told_to_end()
    {
        using var other = new ServerProcess(demo);
        float[][] vectors = [.. Enumerable.Repeat(demo.QueryVectors(1)[0], 100)];
        Task<HttpResponseMessage> answer = other.Http.PostAsJsonAsync(Search, new { vectors, k = 1000, l = 2000 });
        while (await WaitingAsync(other) == 0 && !answer.IsCompleted)
        {
        }

        Assert.Equal(0, other.Stop().ExitCode);
        Assert.Equal(HttpStatusCode.OK, (await answer).StatusCode);
    }

    [Fact]
    public async Task Requests_that_are_too_large_too_many_or_elsewhere_are_refused()
    {
        float[] vector = demo.QueryVectors(1)[0];
        using HttpResponseMessage unknown = await server.Http.PostAsJsonAsync("/v1/collections/other/search", new { vector });
        await AssertProblemAsync(unknown, HttpStatusCode.NotFound, "NotFound");
        using HttpResponseMessage nowhere = await server.Http.GetAsync("/v2");
        await AssertProblemAsync(nowhere, HttpStatusCode.NotFound, "NotFound");
        using HttpResponseMessage batch = await server.Http.PostAsJsonAsync(Search, new { vectors = Enumerable.Repeat(vector, 201) });
        await AssertProblemAsync(batch, HttpStatusCode.BadRequest, "InvalidArgument");
        using HttpResponseMessage busy = await server.Http.PostAsJsonAsync(Search, new { vectors = Enumerable.Repeat(vector, 151) });
        await AssertProblemAsync(busy, HttpStatusCode.ServiceUnavailable, "Busy");
        using HttpResponseMessage large = await server.Http.PostAsync(Search, Binary(new byte[(1 << 20) + 64]));
        await AssertProblemAsync(large, HttpStatusCode.RequestEntityTooLarge, "InvalidArgument");
        using HttpResponseMessage uneven = await server.Http.PostAsync(Search, Binary(new byte[63]));
        await AssertProblemAsync(uneven, HttpStatusCode.BadRequest, "WrongDimension");
        float[] broken = [.. vector];
        broken[3] = float.NaN;
        using HttpResponseMessage nan = await server.Http.PostAsync(Search, Binary(MemoryMarshal.AsBytes(broken.AsSpan()).ToArray()));
        await AssertProblemAsync(nan, HttpStatusCode.BadRequest, "InvalidComponent");
        using HttpResponseMessage option = await server.Http.PostAsync(Search + "?k=x", Binary(new byte[64]));
        await AssertProblemAsync(option, HttpStatusCode.BadRequest, "InvalidArgument");

        await PostAsync(new { vector }); // and it still answers
        Assert.Equal("", server.Error); // what a client does wrong is not news for the log
    }

    [Theory]
    [InlineData("/v1/admin/drain", "{\"silo\":\"alone\"}")]
    [InlineData("/v1/admin/rebalance", "{}")]
    public async Task A_server_that_is_alone_has_no_shards_to_move(string path, string body)
    {
        HttpResponseMessage response = await server.Http.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("NotSupported", (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());
    }

    [Fact]
    public async Task The_openapi_document_lists_every_path_and_every_form_of_a_search()
    {
        JsonElement document = await GetAsync("/openapi/v1.json");
        Assert.StartsWith("3.", document.GetProperty("openapi").GetString());
        string[] paths = [.. document.GetProperty("paths").EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal)];
        Assert.Equal(
            ["/health", "/metrics", "/ready", "/v1/admin/drain", "/v1/admin/rebalance", "/v1/admin/train", "/v1/cluster", "/v1/collections", "/v1/collections/{name}", "/v1/collections/{name}/search"],
            paths);
        JsonElement post = document.GetProperty("paths").GetProperty("/v1/collections/{name}/search").GetProperty("post");
        string[] forms = [.. post.GetProperty("requestBody").GetProperty("content").EnumerateObject().Select(c => c.Name)];
        Assert.Equal(["application/json", "application/msgpack", "application/octet-stream"], forms.Order());
        string[] answers = [.. post.GetProperty("responses").GetProperty("200").GetProperty("content").EnumerateObject().Select(c => c.Name)];
        Assert.Equal(forms.Order(), answers.Order());
        JsonElement schemas = document.GetProperty("components").GetProperty("schemas");
        Assert.True(schemas.GetProperty("SearchBody").GetProperty("properties").TryGetProperty("timeout_ms", out _));
    }

    private static ByteArrayContent Binary(byte[] body) => new(body) { Headers = { ContentType = new("application/octet-stream") } };

    private static async Task AssertProblemAsync(HttpResponseMessage response, HttpStatusCode status, string code)
    {
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == status, $"{response.StatusCode}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        JsonElement problem = JsonDocument.Parse(text).RootElement;
        Assert.Equal(code, problem.GetProperty("code").GetString());
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
        foreach (string name in new[] { "type", "title", "detail", "got", "expected", "mend" })
        {
            Assert.NotEqual("", problem.GetProperty(name).GetString());
        }
    }

    private static async Task<int> WaitingAsync(ServerProcess of) =>
        JsonDocument.Parse(await of.Http.GetStringAsync("/ready")).RootElement.GetProperty("waiting").GetInt32();

    private async Task<JsonElement> GetAsync(string path) => JsonDocument.Parse(await server.Http.GetStringAsync(path)).RootElement;

    private async Task<JsonElement> PostAsync(object body)
    {
        using HttpResponseMessage response = await server.Http.PostAsJsonAsync(Search, body);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }
}
