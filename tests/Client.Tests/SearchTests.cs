using System.Collections.Immutable;
using System.Net.Http.Json;
using System.Text.Json;
using Signpost.Client.Wire;
using Signpost.Silo.Tests.Support;

namespace Signpost.Client.Tests;

[Collection(UsesDemoCollection.Name)]
public sealed class SearchTests(DemoCollection demo, ServerProcess server) : IClassFixture<ServerProcess>, IDisposable
{
    private readonly SignpostClient _client = new(server.Url);

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task A_search_finds_what_the_server_finds_through_json()
    {
        float[] vector = demo.QueryVectors(1)[0];
        using HttpResponseMessage response = await server.Http.PostAsJsonAsync(
            "/v1/collections/demo/search", new { vector, k = 7, l = 50, mode = "codes+rerank", rerank = 20 });
        JsonElement json = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        SearchResult result = await _client.SearchAsync(
            "demo", vector, new SearchOptions { K = 7, L = 50, Mode = SearchMode.CodesRerank, Rerank = 20, RequireFull = true, Timeout = TimeSpan.FromSeconds(20) });
        Assert.Equal(
            json.GetProperty("hits").EnumerateArray().Select(h => new Hit(h.GetProperty("id").GetUInt64(), h.GetProperty("distance").GetSingle())),
            result.Hits);
        Assert.Equal(new Coverage(2, 2, DemoCollection.Count, DemoCollection.Count), result.Coverage);
        Assert.True(result.Coverage.IsFull);
        Assert.Empty(result.Missing);
        JsonElement stats = json.GetProperty("stats");
        Assert.Equal(
            new SearchStats(
                stats.GetProperty("hops").GetInt64(), stats.GetProperty("distance_computations").GetInt64(), stats.GetProperty("reranked").GetInt64(), false),
            result.Stats);
        Assert.True(result.Took > TimeSpan.Zero);
    }

    [Theory]
    [InlineData(SearchMode.Auto)]
    [InlineData(SearchMode.Exact)]
    [InlineData(SearchMode.Codes)]
    [InlineData(SearchMode.CodesRerank)]
    public async Task Every_mode_is_understood(SearchMode mode) =>
        Assert.Equal(4, (await _client.SearchAsync("demo", demo.QueryVectors(1)[0], new SearchOptions { K = 4, Mode = mode })).Hits.Length);

    [Fact]
    public async Task A_batch_gives_the_same_as_its_vectors_one_by_one()
    {
        float[][] vectors = demo.QueryVectors(30);
        ImmutableArray<SearchItem> rows = await _client.SearchBatchAsync("demo", vectors.SelectMany(v => v).ToArray(), vectors.Length);
        ImmutableArray<SearchItem> apart = await _client.SearchBatchAsync("demo", [.. vectors.Select(v => (ReadOnlyMemory<float>)v)]);
        Assert.Equal(vectors.Length, rows.Length);
        for (int i = 0; i < vectors.Length; i++)
        {
            SearchResult single = await _client.SearchAsync("demo", vectors[i]);
            Assert.Equal(10, single.Hits.Length);
            Assert.Equal(single.Hits.AsEnumerable(), rows[i].OrThrow().Hits);
            Assert.Equal(single.Hits.AsEnumerable(), apart[i].OrThrow().Hits);
        }
    }

    [Fact]
    public async Task An_item_of_a_batch_that_is_refused_has_its_own_error()
    {
        float[][] vectors = demo.QueryVectors(3);
        vectors[1][0] = float.PositiveInfinity;
        ImmutableArray<SearchItem> items = await _client.SearchBatchAsync("demo", [.. vectors.Select(v => (ReadOnlyMemory<float>)v)]);
        Assert.Equal(10, items[0].OrThrow().Hits.Length);
        Assert.Equal(10, items[2].OrThrow().Hits.Length);
        Assert.Null(items[1].Result);
        SignpostException error = Assert.Throws<SignpostException>(() => items[1].OrThrow());
        Assert.Equal("InvalidComponent", error.Code);
        Assert.Equal(SignpostErrorKind.Refused, error.Kind);
    }

    [Fact]
    public async Task A_refusal_tells_what_was_wrong_and_how_to_mend_it()
    {
        SignpostException dim = await RefusedAsync(_client.SearchAsync("demo", new float[32])); // twice the collection's 16: still one vector
        Assert.Equal(("WrongDimension", SignpostErrorKind.Refused, "32 components", "16"), (dim.Code, dim.Kind, dim.Got, dim.Expected));
        Assert.NotEqual("", dim.Mend);
        Assert.Contains(dim.Mend, dim.Message);

        SignpostException name = await RefusedAsync(_client.SearchAsync("no such name?", new float[16]));
        Assert.Equal(("NotFound", SignpostErrorKind.Refused, "'no such name?'", "demo"), (name.Code, name.Kind, name.Got, name.Expected));
        Assert.Equal("NotFound", (await RefusedAsync(_client.GetCollectionAsync("other"))).Code);

        SignpostException k = await RefusedAsync(_client.SearchAsync("demo", new float[16], new SearchOptions { K = 0 }));
        Assert.Equal("InvalidArgument", k.Code);
        SignpostException time = await RefusedAsync(_client.SearchAsync("demo", new float[16], new SearchOptions { Timeout = TimeSpan.FromDays(1) }));
        Assert.Equal(("InvalidArgument", "1 .. 60000"), (time.Code, time.Expected));
        SignpostException many = await RefusedAsync(_client.SearchBatchAsync("demo", new float[16 * 201], 201));
        Assert.Equal(("InvalidArgument", "201"), (many.Code, many.Got));
        SignpostException large = await RefusedAsync(_client.SearchBatchAsync("demo", new float[5_000_000], 1000));
        Assert.Equal("InvalidArgument", large.Code);
    }

    [Fact]
    public async Task Arguments_that_no_server_would_take_are_refused_here()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => _client.SearchAsync("", new float[16]));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _client.SearchAsync("demo", default));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _client.SearchBatchAsync("demo", new float[16], 0));
        await Assert.ThrowsAsync<ArgumentException>(() => _client.SearchBatchAsync("demo", new float[17], 2));
        await Assert.ThrowsAsync<ArgumentException>(() => _client.SearchBatchAsync("demo", [new float[16], new float[15]]));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _client.SearchBatchAsync("demo", []));
    }

    [Fact]
    public async Task Too_many_vectors_are_refused_as_busy_after_the_pause_that_the_server_asks_for()
    {
        using var client = new SignpostClient(new SignpostClientOptions { Addresses = [server.Url], Retries = 1 });
        SignpostException busy = await RefusedAsync(client.SearchBatchAsync("demo", new float[16 * 151], 151));
        Assert.Equal(("Busy", SignpostErrorKind.Unavailable), (busy.Code, busy.Kind));
        Assert.Contains("2 attempts failed", busy.Message);
    }

    [Fact]
    public async Task Collections_and_the_cluster_are_told()
    {
        CollectionInfo collection = Assert.Single(await _client.GetCollectionsAsync());
        Assert.Equal(collection, await _client.GetCollectionAsync("demo"));
        Assert.Equal(("demo", DemoCollection.Count, DemoCollection.Dim, 2), (collection.Name, collection.Vectors, collection.Dim, collection.Shards));
        Assert.Equal("float32", collection.ElementType);

        ClusterInfo cluster = await _client.GetClusterAsync();
        SiloInfo silo = Assert.Single(cluster.Silos);
        Assert.Equal(("embedded", 1, silo.Name), (cluster.Runtime, cluster.Api, cluster.Silo));
        Assert.Equal(server.Url.TrimEnd('/'), silo.Url);
        CollectionMap map = Assert.Single(cluster.Collections);
        Assert.Equal(("demo", (long)DemoCollection.Count, 2), (map.Name, map.Vectors, map.Shards.Length));
        Assert.Equal(new ReplicaInfo(silo.Name, 0, "serving", null), Assert.Single(map.Shards[1].Replicas));
    }

    [Fact]
    public async Task A_damaged_shard_is_missing_from_answers_and_fails_those_that_need_all()
    {
        using var folder = new TestFolder();
        Directory.CreateDirectory(folder.At("demo"));
        foreach (string file in Directory.EnumerateFiles(demo.Collection))
        {
            File.Copy(file, folder.At("demo", Path.GetFileName(file)));
        }

        string segment = Directory.EnumerateFiles(folder.At("demo"), "*.segment").Order(StringComparer.Ordinal).First();
        File.WriteAllBytes(segment, File.ReadAllBytes(segment)[..5000]);
        using var damaged = ServerProcess.Of(folder.At("demo"));
        using var client = new SignpostClient(new SignpostClientOptions { Addresses = [damaged.Url], Retries = 0 });
        SearchResult partial = await client.SearchAsync("demo", demo.QueryVectors(1)[0], new SearchOptions { Mode = SearchMode.Exact });
        Assert.Equal((1, 2), (partial.Coverage.ShardsAnswered, partial.Coverage.Shards));
        Assert.False(partial.Coverage.IsFull);
        Assert.NotEqual("", Assert.Single(partial.Missing).Reason);
        SignpostException full = await RefusedAsync(client.SearchAsync("demo", demo.QueryVectors(1)[0], new SearchOptions { RequireFull = true }));
        Assert.Equal(("IncompleteCoverage", SignpostErrorKind.Unavailable), (full.Code, full.Kind));
    }

    [Fact]
    public async Task An_answer_that_is_cut_or_flipped_is_read_or_refused_and_never_anything_else()
    {
        ReadOnlyMemory<byte> request = SearchRequestWriter.Write(demo.QueryVectors(2).SelectMany(v => v).ToArray(), DemoCollection.Dim, new SearchOptions());
        using var content = new ReadOnlyMemoryContent(request) { Headers = { ContentType = new("application/msgpack") } };
        using HttpResponseMessage response = await server.Http.PostAsync("/v1/collections/demo/search", content);
        byte[] answer = await response.Content.ReadAsByteArrayAsync();
        Assert.Equal(2, SearchReplyReader.Read(answer, 2).Length);
        Assert.Throws<MessagePackException>(() => SearchReplyReader.Read(answer, 3));
        for (int cut = 0; cut < answer.Length; cut++)
        {
            Assert.Throws<MessagePackException>(() => SearchReplyReader.Read(answer.AsSpan(0, cut), 2));
        }

        int refused = 0;
        var random = new Random(3);
        for (int flip = 0; flip < 20_000; flip++)
        {
            byte[] flipped = [.. answer];
            flipped[random.Next(flipped.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                SearchReplyReader.Read(flipped, 2);
            }
            catch (MessagePackException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1000, 19_000); // both happened
    }

    [Fact]
    public async Task A_client_serves_many_threads_at_once()
    {
        float[][] vectors = demo.QueryVectors(64);
        ImmutableArray<Hit>[] expected = [.. (await _client.SearchBatchAsync("demo", [.. vectors.Select(v => (ReadOnlyMemory<float>)v)])).Select(i => i.OrThrow().Hits)];
        SearchResult[] results = await Task.WhenAll(vectors.Select(v => Task.Run(() => _client.SearchAsync("demo", v))));
        Assert.Equal(expected.SelectMany(h => h), results.SelectMany(r => r.Hits));
    }

    private static Task<SignpostException> RefusedAsync(Task call) => Assert.ThrowsAsync<SignpostException>(() => call);
}
