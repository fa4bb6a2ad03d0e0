using Signpost.Client;
using Signpost.Cluster.Tests.Support;
using Signpost.Silo.Tests.Support;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>Three silos of each runtime, two copies of each shard, 200 queries a second that all shards must have part in, and one thing that goes wrong.</summary>
public sealed class FailoverTests(DemoCollection demo) : IClassFixture<DemoCollection>, IDisposable
{
    private const int Queries = 50;

    private static readonly SearchOptions Full = new() { K = 10, L = 100, RequireFull = true, Timeout = TimeSpan.FromSeconds(8) };

    private readonly RedisServer _redis = RedisServer.Durable();

    public void Dispose() => _redis.Dispose();

    [RedisTheory]
    [MemberData(nameof(Runtimes.All), MemberType = typeof(Runtimes))]
    public async Task A_silo_that_is_killed_fails_no_query_and_its_copies_are_opened_elsewhere(string runtime)
    {
        using SiloCluster cluster = await StartAsync(runtime);
        string[] expected = await OnceAsync(cluster);
        await using SteadyQueries queries = Ask(cluster);
        await queries.MoreAsync(100);

        cluster.Signal("silo-2", SiloCluster.Kill);
        await cluster.UntilWholeAsync("silo-1", 2, "silo-2");
        await queries.MoreAsync(100);

        MustBeClean(queries, expected);
    }

    [RedisTheory]
    [MemberData(nameof(Runtimes.All), MemberType = typeof(Runtimes))]
    public async Task A_silo_that_freezes_fails_no_query_and_is_a_member_again_when_it_goes_on(string runtime)
    {
        using SiloCluster cluster = await StartAsync(runtime);
        string[] expected = await OnceAsync(cluster);
        await using SteadyQueries queries = Ask(cluster);
        long epoch = (await cluster.AskAsync("silo-1")).Silos.Single(s => s.Name == "silo-2").Epoch;
        await queries.MoreAsync(100);

        cluster.Signal("silo-2", SiloCluster.Freeze);
        await cluster.UntilWholeAsync("silo-1", 2, "silo-2");
        cluster.Signal("silo-2", SiloCluster.Thaw);
        await cluster.UntilAsync("silo-1", c => c.Silos.Any(s => s.Name == "silo-2" && s.Epoch > epoch), "silo-2 is back under a new epoch");
        await queries.MoreAsync(100);

        MustBeClean(queries, expected);
    }

    [RedisTheory]
    [MemberData(nameof(Runtimes.All), MemberType = typeof(Runtimes))]
    public async Task A_silo_that_is_stopped_in_order_fails_nothing_and_is_back_where_it_was(string runtime)
    {
        using SiloCluster cluster = await StartAsync(runtime);
        string[] expected = await OnceAsync(cluster);
        await using SteadyQueries queries = Ask(cluster);
        await queries.MoreAsync(100);

        Run ended = cluster.Stop("silo-2");
        Assert.Equal(0, ended.ExitCode);
        cluster.Start("silo-2");
        await cluster.UntilWholeAsync("silo-2");
        await queries.MoreAsync(200);

        MustBeClean(queries, expected);
    }

    [RedisTheory]
    [MemberData(nameof(Runtimes.All), MemberType = typeof(Runtimes))]
    public async Task A_silo_that_is_full_of_searches_keeps_its_lease(string runtime)
    {
        using SiloCluster cluster = await StartAsync(runtime);
        Dictionary<string, long> epochs = (await cluster.AskAsync("silo-1")).Silos.ToDictionary(s => s.Name, s => s.Epoch);
        float[][] vectors = demo.QueryVectors(Queries);
        using var busy = new SignpostClient(new SignpostClientOptions { Addresses = [cluster.Url("silo-2")], Retries = 20 });
        var all = new SearchOptions { K = 10, L = 2000, Mode = SearchMode.Exact };
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(8)); // four leases
        int done = 0;
        await Task.WhenAll(Enumerable.Range(0, 64).Select(async _ =>
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await busy.SearchBatchAsync("demo", [.. vectors.Select(v => new ReadOnlyMemory<float>(v))], all, stop.Token);
                    Interlocked.Increment(ref done);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }));

        Assert.True(done > 0);
        ClusterInfo after = await cluster.AskAsync("silo-1");
        Assert.Equal(epochs, after.Silos.ToDictionary(s => s.Name, s => s.Epoch));
        Assert.All(after.Collections.Single().Shards.SelectMany(s => s.Replicas), r => Assert.Equal("serving", r.State));
    }

    [RedisFact]
    public async Task Queries_go_on_while_Redis_is_silent()
    {
        using SiloCluster cluster = await StartAsync("redis");
        string[] expected = await OnceAsync(cluster);
        await using SteadyQueries queries = Ask(cluster);
        Dictionary<string, long> epochs = (await cluster.AskAsync("silo-1")).Silos.ToDictionary(s => s.Name, s => s.Epoch);
        await queries.MoreAsync(100);

        _redis.Freeze(); // connections stay, and every call waits until it is given up: the lease runs out meanwhile
        await queries.MoreAsync(1600);
        _redis.Thaw();
        await cluster.UntilAsync("silo-1", c => c.Silos.Length == 3 && c.Silos.All(s => s.Epoch > epochs[s.Name]), "all silos are members anew");
        await cluster.UntilWholeAsync("silo-1");
        await queries.MoreAsync(100);

        MustBeClean(queries, expected);
    }

    [RedisTheory]
    [MemberData(nameof(Runtimes.All), MemberType = typeof(Runtimes))]
    public async Task Queries_go_on_without_Redis_and_changes_wait_for_it(string runtime)
    {
        using SiloCluster cluster = await StartAsync(runtime);
        string[] expected = await OnceAsync(cluster);
        await using SteadyQueries queries = Ask(cluster);

        _redis.Kill();
        await queries.MoreAsync(1200); // well beyond the leases
        _redis.Start();
        await cluster.UntilAsync("silo-3", c => c.Silos.Length == 3 && c.Leader is not null, "all are members again");
        await queries.MoreAsync(100);

        MustBeClean(queries, expected);
    }

    [RedisTheory]
    [MemberData(nameof(Runtimes.All), MemberType = typeof(Runtimes))]
    public async Task Redis_that_comes_back_empty_gets_the_map_and_the_members_again_and_there_is_one_cluster(string runtime)
    {
        using SiloCluster cluster = await StartAsync(runtime);
        string[] expected = await OnceAsync(cluster);
        await using SteadyQueries queries = Ask(cluster);
        long version = (await cluster.AskAsync("silo-1")).Collections.Single().MapVersion;

        _redis.Restart(withoutData: true);
        await cluster.UntilWholeAsync("silo-1");
        foreach (string name in cluster.Names)
        {
            await cluster.UntilAsync(
                name, c => c.Silos.Length == 3 && c.Collections.Single().MapVersion > version && c.Collections.Single().Shards.All(s => s.Replicas.All(r => r.State == "serving")),
                $"{name} sees three members and a newer map");
        }

        cluster.Stop("silo-2");
        cluster.Start("silo-2"); // a silo that looks for the others finds them
        await cluster.UntilWholeAsync("silo-2");
        await queries.MoreAsync(100);
        string?[] leaders = [.. (await Task.WhenAll(cluster.Names.Select(cluster.AskAsync))).Select(c => c.Leader).Distinct()];
        Assert.Single(leaders);
        MustBeClean(queries, expected);
    }

    [RedisTheory]
    [MemberData(nameof(Runtimes.All), MemberType = typeof(Runtimes))]
    public async Task Queries_turn_to_new_codes_while_they_go_on_and_none_is_answered_by_both(string runtime)
    {
        using var folder = new TestFolder();
        Directory.CreateDirectory(folder.At("demo"));
        foreach (string file in Directory.EnumerateFiles(demo.Collection))
        {
            File.Copy(file, folder.At("demo", Path.GetFileName(file)));
        }

        using SiloCluster cluster = await StartAsync(runtime, folder);
        SearchOptions onCodes = Full with { Mode = SearchMode.Codes, L = 30 };
        float[][] vectors = demo.QueryVectors(Queries);
        string[] before = await SteadyQueries.OnceAsync(cluster.Client, "demo", vectors, onCodes);
        await using var queries = new SteadyQueries(cluster.Client, "demo", vectors, 200, onCodes);
        await queries.MoreAsync(100);

        Run trained = SignpostProcess.Run(folder, "train", "--collection", "demo", "--method", "opq", "--m", "4", "--data-folder", ".", "--quiet");
        Assert.Equal(0, trained.ExitCode);
        await cluster.UntilAsync("silo-1", c => c.Collections.Single().CodesVersion == 2, "queries use the new codes");
        await queries.MoreAsync(200);

        string[] after = await SteadyQueries.OnceAsync(cluster.Client, "demo", vectors, onCodes);
        Assert.NotEqual(before, after);
        MustBeClean(queries, before, after);
        Assert.Contains(queries.Answers.SelectMany(a => a), after.Contains);
    }

    [RedisTheory]
    [MemberData(nameof(Runtimes.All), MemberType = typeof(Runtimes))]
    public async Task Answers_are_those_of_one_process_bit_for_bit_whichever_silo_is_asked(string runtime)
    {
        using SiloCluster cluster = await StartAsync(runtime);
        using var alone = new ServerProcess(demo);
        using var one = new SignpostClient(alone.Http.BaseAddress!.ToString());
        foreach (string name in cluster.Names)
        {
            using var client = new SignpostClient(new SignpostClientOptions { Addresses = [cluster.Url(name)] });
            foreach (SearchMode mode in (SearchMode[])[SearchMode.Exact, SearchMode.Codes, SearchMode.CodesRerank])
            {
                foreach (float[] vector in demo.QueryVectors(Queries))
                {
                    SearchOptions options = Full with { Mode = mode, L = 40 };
                    SearchResult expected = await one.SearchAsync("demo", vector, options);
                    SearchResult got = await client.SearchAsync("demo", vector, options);
                    Assert.Equal(expected.Hits.Select(h => (h.Id, BitConverter.SingleToInt32Bits(h.Distance))), got.Hits.Select(h => (h.Id, BitConverter.SingleToInt32Bits(h.Distance))));
                    Assert.Equal((expected.Stats, expected.Coverage), (got.Stats, got.Coverage));
                }
            }
        }
    }

    private async Task<SiloCluster> StartAsync(string runtime, string? folder = null)
    {
        var cluster = new SiloCluster(3, folder ?? demo.Root, $"127.0.0.1:{_redis.Port}", runtime: runtime);
        foreach (string name in cluster.Names)
        {
            await cluster.UntilWholeAsync(name);
        }

        return cluster;
    }

    private Task<string[]> OnceAsync(SiloCluster cluster) => SteadyQueries.OnceAsync(cluster.Client, "demo", demo.QueryVectors(Queries), Full);

    private SteadyQueries Ask(SiloCluster cluster) => new(cluster.Client, "demo", demo.QueryVectors(Queries), 200, Full);

    /// <summary>Every query was answered by all shards, as one of <paramref name="expected"/> says.</summary>
    private static void MustBeClean(SteadyQueries queries, params string[][] expected)
    {
        Assert.True(queries.Failures.Count == 0, $"{queries.Failures.Count} of {queries.Count} failed, such as {queries.Failures.FirstOrDefault()}");
        Assert.Equal(0, queries.Partial);
        for (int row = 0; row < Queries; row++)
        {
            Assert.All(queries.Answers[row], answer => Assert.Contains(answer, expected.Select(answers => answers[row])));
        }
    }
}
