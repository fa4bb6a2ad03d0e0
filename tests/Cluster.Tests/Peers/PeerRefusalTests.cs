using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;
using Signpost.Grains.Wire;
using Signpost.Silo.Peers;

namespace Signpost.Cluster.Tests.Peers;

/// <summary>What a silo is sent and must refuse: nothing of it does harm, and each time the next good request is answered.</summary>
public sealed class PeerRefusalTests : PeerTest
{
    private readonly HttpClient _http = new() { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };

    public static TheoryData<string> Paths =>
        [PeerPaths.Search, PeerPaths.Sample, PeerPaths.Trace, PeerPaths.EndTraces, PeerPaths.PrepareCodes, PeerPaths.DropCodes];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_good_message_is_answered(string path)
    {
        using HttpResponseMessage response = await PostAsync(path, Good(path));
        Assert.True(response.StatusCode == HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_message_of_another_version_is_refused_with_both_versions(string path)
    {
        byte[] message = Good(path);
        Assert.Equal(Message.Version, message[1]);
        message[1]++;

        string problem = await RefusedAsync(path, message);

        Assert.Contains("UnsupportedVersion", problem, StringComparison.Ordinal);
        Assert.Contains($"version {Message.Version + 1}", problem, StringComparison.Ordinal);
        Assert.Contains($"version {Message.Version}", problem, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_message_that_is_cut_anywhere_or_goes_on_is_refused(string path)
    {
        byte[] message = Good(path);
        int step = Math.Max(1, message.Length / 100);
        for (int length = 0; length < message.Length; length += step)
        {
            await RefusedAsync(path, message[..length]);
        }

        await RefusedAsync(path, [.. message, 0xC0]);
        await AssertServesAsync();
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_message_with_any_bytes_in_it_does_no_harm(string path)
    {
        byte[] good = Good(path);
        var random = new Seeded(17, 0);
        for (int i = 0; i < 300; i++)
        {
            byte[] message = [.. good];
            for (int changes = 1 + random.Next(3); changes > 0; changes--)
            {
                message[random.Next(Math.Min(message.Length, 200))] = (byte)random.Next(256);
            }

            using HttpResponseMessage response = await PostAsync(path, message);
            Assert.True((int)response.StatusCode is 200 or (>= 400 and < 500) or 503, $"{response.StatusCode} to {Convert.ToHexString(message)}");
        }

        await AssertServesAsync();
    }

    [Fact]
    public async Task Requests_that_are_none_are_refused_as_problems()
    {
        byte[] good = Good(PeerPaths.Search);
        using HttpResponseMessage method = await _http.GetAsync(new Uri(Silo.Address, PeerPaths.Search));
        using HttpResponseMessage path = await PostAsync("/peer/v9/search", good);
        using HttpResponseMessage type = await PostAsync(PeerPaths.Search, good, "application/json");

        Assert.Equal(HttpStatusCode.BadRequest, method.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, path.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, type.StatusCode);
        Assert.All((HttpResponseMessage[])[method, path, type], r => Assert.Equal("application/problem+json", r.Content.Headers.ContentType?.MediaType));
        await AssertServesAsync();
    }

    [Fact]
    public async Task A_message_that_is_too_large_is_refused_before_it_is_read()
    {
        string problem = await RefusedAsync(PeerPaths.Search, new byte[Limits.SearchBytes + 1]);

        Assert.Contains($"{Limits.SearchBytes + 1} bytes", problem, StringComparison.Ordinal);
        Assert.Contains($"at most {Limits.SearchBytes}", problem, StringComparison.Ordinal);
        await AssertServesAsync();
    }

    [Fact]
    public async Task A_body_that_ends_before_its_length_does_no_harm()
    {
        using var content = new CutContent(Good(PeerPaths.Search));

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => _http.PostAsync(new Uri(Silo.Address, PeerPaths.Search), content).WaitAsync(Hang));

        await AssertServesAsync();
    }

    [Fact]
    public async Task What_a_search_may_not_ask_is_refused_with_its_place_in_the_message()
    {
        var bad = new Dictionary<string, ShardQuery>
        {
            ["hits wanted"] = Asked(3, new SearchParameters(Limits.K, Limits.K)),
            ["twice"] = Asked(3, new SearchParameters(1, 10)) with { Shards = new ShardSlots[] { new(0, Slots.All), new(0, Slots.All) } },
            ["values of shards"] = Asked(3, new SearchParameters(1, 10)) with { Shards = default },
        };
        foreach ((string word, ShardQuery query) in bad)
        {
            (ReadOnlyMemory<byte>, TimeSpan?) search = (SearchCodec.Write(query, Limits), null);
            string problem = await RefusedAsync(PeerPaths.Search, SearchCodec.Join(Silo.Id, [search, search]));
            Assert.Contains(word, problem, StringComparison.Ordinal);
            Assert.Contains("at byte", problem, StringComparison.Ordinal);
        }

        await AssertServesAsync();
    }

    [Fact]
    public async Task A_file_that_is_not_in_the_collections_folder_is_refused()
    {
        foreach (string name in (string[])["", "..", "../x", "/etc/passwd", "a/b"])
        {
            await RefusedAsync(PeerPaths.PrepareCodes, CodesCodec.WritePrepare(Replica, name, 1));
        }
    }

    [Fact]
    public async Task A_vector_that_is_no_vector_is_refused_like_by_a_method_call()
    {
        using var query = new Query(Dim, ElementType.Float32, Metric.L2);
        float[] row = [.. Enumerable.Repeat(float.NaN, Dim)];
        query.SetRow(MemoryMarshal.AsBytes<float>(row));

        ShardAnswer answer = await Client.SearchAsync(Silo.Id, Asked(3, new SearchParameters(1, 10)) with { Query = query }, Deadline.None, default);

        Assert.Equal(ProblemCode.InvalidComponent, answer.Refusal?.Code);
    }

    public override async Task DisposeAsync()
    {
        _http.Dispose();
        await base.DisposeAsync();
    }

    private ReplicaId Replica => new(new ShardId("test", 0), Silo.Id);

    private byte[] Good(string path) => path switch
    {
        PeerPaths.Search => SearchCodec.Join(Silo.Id, [(SearchCodec.Write(Asked(3, new SearchParameters(10, 40)), Limits), Hang)]),
        PeerPaths.Sample => SampleCodec.WriteRequest(Replica, 5, 1),
        PeerPaths.Trace => TraceCodec.WriteRequest(Replica, Trace, 1),
        PeerPaths.EndTraces => ShardCodec.WriteRequest(Replica),
        PeerPaths.PrepareCodes => CodesCodec.WritePrepare(Replica, Collection.Manifest.Quantizer!.File, 1),
        PeerPaths.DropCodes => CodesCodec.WriteDrop(Replica, 7),
        _ => throw new ArgumentOutOfRangeException(nameof(path)),
    };

    private TraceRequest Trace => new()
    {
        Quantizer = QuantizerTrainer.Train(
            QuantizerKind.Pq, Vectors, Metric.L2, new QuantizerOptions { M = 4, K = 16, Iterations = 2, Version = 9 }, Work.Quiet),
        Sampling = new SamplingOptions { L = 20, Top = 10, Negatives = 10, HopsPerQuery = 2, CandidatesPerHop = 8 },
        TrainingQueries = 10,
        HeldOutQueries = 5,
        Place = 0,
        ScoreL = 20,
        Round = 1,
        WithSample = true,
    };

    private async Task<string> RefusedAsync(string path, byte[] message)
    {
        using HttpResponseMessage response = await PostAsync(path, message);
        string problem = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode is >= 400 and < 500, $"{response.StatusCode} to {Convert.ToHexString(message.AsSpan(0, Math.Min(100, message.Length)))}: {problem}");
        return problem;
    }

    private Task<HttpResponseMessage> PostAsync(string path, byte[] message, string type = Message.ContentType) => _http.PostAsync(
        new Uri(Silo.Address, path), new ByteArrayContent(message) { Headers = { ContentType = new MediaTypeHeaderValue(type) } }).WaitAsync(Hang);

    /// <summary>Says a length and sends less.</summary>
    private sealed class CutContent : HttpContent
    {
        private readonly byte[] _bytes;

        public CutContent(byte[] bytes)
        {
            _bytes = bytes;
            Headers.ContentType = new MediaTypeHeaderValue(Message.ContentType);
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(_bytes.AsMemory(0, _bytes.Length / 2));
            throw new IOException("the sender has gone");
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _bytes.Length;
            return true;
        }
    }
}
