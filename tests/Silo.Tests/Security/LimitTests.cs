using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Text;
using System.Text.Json;
using Signpost.Client;
using Signpost.Silo.Security;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests.Security;

/// <summary>What one caller may take.</summary>
[Collection(UsesDemoCollection.Name)]
public sealed class LimitTests(DemoCollection demo)
{
    private static readonly string[] Limits =
        ["--rate-max", "3", "--request-mib-max", "1", "--header-kib-max", "4", "--body-rate-min", "100000", "--connections-max", "20"];

    [Fact]
    public async Task Who_asks_too_often_is_told_when_to_come_back_and_others_are_answered()
    {
        using var server = new SecureServer(demo, _ => { }, Limits);
        using HttpClient reader = server.Http(Role.Read);
        using HttpClient admin = server.Http(Role.Admin);
        HttpResponseMessage[] answers = [];
        while (!answers.Any(a => a.StatusCode == HttpStatusCode.TooManyRequests))
        {
            answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => reader.GetAsync("/v1/collections")));
        }

        HttpResponseMessage refused = answers.First(a => a.StatusCode == HttpStatusCode.TooManyRequests);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter!.Delta);
        Assert.Equal("TooManyRequests", (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());
        Assert.Equal(HttpStatusCode.OK, (await admin.GetAsync("/v1/collections")).StatusCode); // has a bucket of its own
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => reader.GetAsync("/health"))), a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));

        // The client waits as long as the server says, and has all its answers.
        using var client = new SignpostClient(
            new SignpostClientOptions { Addresses = [server.Url.ToString()], ApiKey = server.Keys[Role.Read], CaFile = server.Authorities, Retries = 10 });
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => client.GetCollectionsAsync()));
    }

    [Fact]
    public async Task Bodies_and_headers_that_are_too_large_and_bodies_that_are_too_slow_are_refused()
    {
        using var server = new SecureServer(demo, _ => { }, Limits);
        string head = $"POST /v1/collections/demo/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer {server.Keys[Role.Read]}\r\n";
        Task<string> slow = server.AnswerAsync(head + "Content-Length: 1000000\r\n\r\n{\"vector\": [1");

        string large = await server.AnswerAsync(head + $"Content-Length: {2 << 20}\r\nExpect: 100-continue\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 413", large, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 431", await server.AnswerAsync(head + $"X-Large: {new string('x', 5000)}\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 408", await slow, StringComparison.Ordinal);
        Assert.Contains("security.body_rate_min", await slow, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connections_beyond_the_limit_are_closed_and_the_others_are_answered()
    {
        using var server = new SecureServer(demo, _ => { }, Limits);
        var open = new List<SslStream>();
        try
        {
            Exception? refused = null;
            while (refused is null && open.Count <= 20)
            {
                try
                {
                    open.Add(await server.ConnectAsync());
                }
                catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
                {
                    refused = e;
                }
            }

            Assert.NotNull(refused);
            Assert.Equal(20, open.Count);
            await open[0].WriteAsync("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray());
            using var reader = new StreamReader(open[0], Encoding.ASCII, leaveOpen: true);
            Assert.StartsWith("HTTP/1.1 200", await reader.ReadLineAsync(), StringComparison.Ordinal);
        }
        finally
        {
            open.ForEach(stream => stream.Dispose());
        }
    }
}
