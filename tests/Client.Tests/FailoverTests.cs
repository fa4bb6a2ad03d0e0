using Microsoft.AspNetCore.Http;
using Signpost.Client.Tests.Support;
using Signpost.Silo.Tests.Support;

namespace Signpost.Client.Tests;

/// <summary>Silos that are dead, die, are silent, too busy, of another version, or new.</summary>
[Collection(UsesDemoCollection.Name)]
public sealed class FailoverTests(DemoCollection demo, ServerProcess server) : IClassFixture<ServerProcess>
{
    private const string Problem =
        """{"type":"t","title":"t","status":503,"detail":"request: too many.","code":"Busy","got":"many","expected":"few","mend":"Wait."}""";

    [Fact]
    public async Task Of_two_addresses_one_of_which_is_dead_the_other_answers()
    {
        using var dead = new DeadAddress();
        using SignpostClient client = Client(dead.Url, server.Url);
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(10, (await SearchAsync(client)).Hits.Length);
        }
    }

    [Fact]
    public async Task Calls_go_on_when_one_of_two_servers_is_killed_among_them()
    {
        using var doomed = new ServerProcess(demo);
        using SignpostClient client = Client(doomed.Url, server.Url);
        Task<SearchResult>[] before = [.. Enumerable.Range(0, 50).Select(_ => SearchAsync(client))];
        doomed.Kill();
        Task<SearchResult>[] after = [.. Enumerable.Range(0, 50).Select(_ => SearchAsync(client))];
        Assert.All(await Task.WhenAll([.. before, .. after]), result => Assert.Equal(10, result.Hits.Length));
    }

    [Fact]
    public async Task A_cluster_of_which_nobody_lives_is_unavailable_and_every_attempt_is_told()
    {
        using var first = new DeadAddress();
        using var second = new DeadAddress();
        using SignpostClient client = Client(first.Url, second.Url);
        SignpostException error = await Assert.ThrowsAsync<SignpostException>(() => SearchAsync(client));
        Assert.Equal((SignpostErrorKind.Unavailable, "Unavailable"), (error.Kind, error.Code));
        Assert.Contains("3 attempts failed", error.Message);
        Assert.Contains(first.Url, error.Got);
        Assert.Contains(second.Url, error.Got);
        Assert.Contains("refused", error.Got);
    }

    [Fact]
    public async Task A_silo_that_is_silent_is_left_for_another_one()
    {
        await using FrontServer silent = await FrontServer.StartAsync(context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        using var client = new SignpostClient(new SignpostClientOptions
        {
            Addresses = [silent.Url, server.Url],
            SiloTimeout = TimeSpan.FromSeconds(2),
            Rest = TimeSpan.FromHours(1),
        });
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(10, (await SearchAsync(client)).Hits.Length);
        }

        Assert.InRange(silent.Requests, 0, 2); // the search and the question for the cluster; then it rests
    }

    [Fact]
    public async Task A_call_ends_by_its_timeout_whatever_the_silos_do()
    {
        await using FrontServer silent = await FrontServer.StartAsync(context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        using var client = new SignpostClient(new SignpostClientOptions { Addresses = [silent.Url], Timeout = TimeSpan.FromMilliseconds(200), Retries = 20 });
        SignpostException error = await Assert.ThrowsAsync<SignpostException>(() => SearchAsync(client));
        Assert.Equal((SignpostErrorKind.Timeout, "Timeout"), (error.Kind, error.Code));
        Assert.Contains("no answer in", error.Got);
    }

    [Fact]
    public async Task A_cancelled_call_ends_at_once_and_the_server_stops_working_for_it()
    {
        var aborted = new TaskCompletionSource();
        var arrived = new TaskCompletionSource();
        await using FrontServer silent = await FrontServer.StartAsync(async context =>
        {
            arrived.TrySetResult();
            using CancellationTokenRegistration told = context.RequestAborted.Register(() => aborted.TrySetResult());
            await aborted.Task;
        });
        using SignpostClient client = Client(silent.Url);
        using var cancel = new CancellationTokenSource();
        Task<SearchResult> call = SearchAsync(client, cancel.Token);
        await arrived.Task;
        await cancel.CancelAsync();
        OperationCanceledException thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal(cancel.Token, thrown.CancellationToken);
        await aborted.Task;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SearchAsync(client, new CancellationToken(true)));
    }

    [Fact]
    public async Task A_busy_silo_is_left_for_another_one()
    {
        await using FrontServer busy = await FrontServer.StartAsync(503, Problem, type: "application/problem+json");
        using SignpostClient client = Client(busy.Url, server.Url);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => SearchAsync(client)));
        Assert.True(busy.Requests > 0);
    }

    [Theory]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task A_proxy_without_a_silo_behind_it_counts_as_dead(int status)
    {
        await using FrontServer proxy = await FrontServer.StartAsync(status, "<html>", version: null, type: "text/html");
        using SignpostClient client = Client(proxy.Url);
        SignpostException error = await Assert.ThrowsAsync<SignpostException>(() => SearchAsync(client));
        Assert.Equal(SignpostErrorKind.Unavailable, error.Kind);
        Assert.Contains($"status {status}", error.Got);
    }

    [Theory]
    [InlineData(null, "none")]
    [InlineData("2", "2")]
    public async Task A_server_of_another_version_is_refused_and_both_versions_are_told(string? version, string got)
    {
        await using FrontServer other = await FrontServer.StartAsync(200, "{}", version);
        using var alone = new SignpostClient(new SignpostClientOptions { Addresses = [other.Url], Retries = 0 });
        SignpostException error = await Assert.ThrowsAsync<SignpostException>(() => alone.GetCollectionsAsync());
        Assert.Equal((SignpostErrorKind.VersionMismatch, "UnsupportedVersion", got, "1"), (error.Kind, error.Code, error.Got, error.Expected));

        using SignpostClient mixed = Client(other.Url, server.Url); // in the middle of an update
        await SearchAsync(mixed);
        await SearchAsync(mixed);
    }

    [Theory]
    [InlineData(200, "application/msgpack", "{}", "results")]
    [InlineData(500, "text/plain", "oh", "status 500 without a problem")]
    public async Task An_answer_that_cannot_be_understood_is_not_asked_for_again(int status, string type, string body, string told)
    {
        await using FrontServer odd = await FrontServer.StartAsync(context => context.Request.Method == "GET"
            ? Task.Delay(Timeout.Infinite, context.RequestAborted)
            : FrontServer.AnswerAsync(context, status, body, type: type));
        using SignpostClient client = Client(odd.Url);
        SignpostException error = await Assert.ThrowsAsync<SignpostException>(() => SearchAsync(client));
        Assert.Equal((SignpostErrorKind.Failed, "BadAnswer"), (error.Kind, error.Code));
        Assert.Contains(told == "results" ? "Map" : told, error.Message);
        Assert.InRange(odd.Requests, 1, 2);
    }

    [Fact]
    public async Task Silos_that_the_cluster_tells_of_are_asked_and_those_that_leave_are_not()
    {
        string cluster = "";
        await using FrontServer seed = await FrontServer.StartAsync(context => context.Request.Path == "/v1/cluster"
            ? FrontServer.AnswerAsync(context, 200, cluster)
            : FrontServer.AnswerAsync(context, 503, Problem, type: "application/problem+json"));
        cluster = ClusterOf((seed.Url, "leaving"), (server.Url, "serving"), ("not an address", "serving"));
        using SignpostClient client = Client(seed.Url);
        Assert.Equal("redis", (await client.GetClusterAsync()).Runtime);
        await AssertEventuallyAsync(() => client.Silos.SequenceEqual([new Uri(server.Url)])); // the client asks by itself, beside the call
        int seen = seed.Requests;
        Assert.Equal(10, (await SearchAsync(client)).Hits.Length);
        Assert.Equal(seen, seed.Requests);
    }

    [Fact]
    public async Task A_client_that_was_disposed_says_so()
    {
        await using FrontServer silent = await FrontServer.StartAsync(context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        SignpostClient client = Client(silent.Url);
        Task<SearchResult> running = SearchAsync(client);
        await client.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => running);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => SearchAsync(client));
    }

    private static SignpostClient Client(params string[] addresses) => new(new SignpostClientOptions { Addresses = addresses });

    private static string ClusterOf(params (string Url, string State)[] silos) =>
        $$"""{"runtime":"redis","silo":"a","version":"9","api":1,"new":[1],"collections":[],"silos":[{{string.Join(',', silos.Select(s =>
            $$"""{"name":"x","url":"{{s.Url}}","state":"{{s.State}}","epoch":1,"memory_bytes":1,"resident_bytes":1,"waiting":0,"shards":0}"""))}}]}""";

    private static async Task AssertEventuallyAsync(Func<bool> holds)
    {
        for (int i = 0; i < 1000 && !holds(); i++)
        {
            await Task.Delay(10);
        }

        Assert.True(holds());
    }

    private Task<SearchResult> SearchAsync(SignpostClient client, CancellationToken cancel = default) =>
        client.SearchAsync("demo", demo.QueryVectors(1)[0], cancel: cancel);
}
