using Signpost.Client;
using Signpost.Cluster.Tests.Support;
using Signpost.Silo.Tests.Support;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>A collection is built anew under its name and pushed in the place of the one that is served: no answer ever mixes the two.</summary>
public sealed class RebuiltTests(DemoCollection demo) : IClassFixture<DemoCollection>, IDisposable
{
    private static readonly SearchOptions OnCodes = new() { K = 5, L = 64, Mode = SearchMode.Codes, Timeout = TimeSpan.FromSeconds(5) };

    private readonly RedisServer _redis = RedisServer.Durable();
    private readonly TestFolder _folder = new();

    public void Dispose()
    {
        _redis.Dispose();
        _folder.Dispose();
    }

    [RedisFact]
    public async Task Silos_turn_to_it_when_all_have_been_started_anew_and_until_then_to_nothing_of_it()
    {
        Push(demo.Collection);
        using var cluster = new SiloCluster(3, _folder.At("store"), $"127.0.0.1:{_redis.Port}", name => ["--cache", _folder.At(name)], graceSeconds: 2);
        await cluster.UntilWholeAsync("silo-1");
        float[][] vectors = demo.QueryVectors(20);
        string[] former = await SteadyQueries.OnceAsync(cluster.Client, "demo", vectors, OnCodes);

        string anew = _folder.At("demo"); // as many shards and the same codes, of other vectors
        Run built = SignpostProcess.Run(
            _folder, "build", "--data", demo.Queries, "--out", anew, "--shards", "2", "--quantizer", "pq", "--m", "8", "--threads", "1", "--quiet");
        Assert.True(built.ExitCode == 0, built.Error);
        Push(anew);
        string[] expected = Alone(anew, vectors.Length);
        Assert.Empty(former.Intersect(expected));

        foreach (string silo in cluster.Names.ToArray())
        {
            Assert.Equal(0, cluster.Stop(silo).ExitCode);
            cluster.Start(silo);
            await MustBeOneOrTheOtherAsync(cluster, vectors, former, expected);
        }

        await cluster.UntilWholeAsync("silo-1");
        Assert.Equal(expected, await SteadyQueries.OnceAsync(cluster.Client, "demo", vectors, OnCodes with { RequireFull = true }));
    }

    private void Push(string collection)
    {
        Run pushed = SignpostProcess.Run(_folder, "push", "--collection", collection, "--store", _folder.At("store"), "--overwrite", "--quiet");
        Assert.True(pushed.ExitCode == 0, pushed.Error);
    }

    /// <summary>The answers of a server that has only this collection.</summary>
    private string[] Alone(string collection, int count)
    {
        using SignpostProcess server = SignpostProcess.Start(_folder, "serve", "--collection", collection, "--url", "http://127.0.0.1:0", "--quiet");
        using var client = new SignpostClient(new SignpostClientOptions { Addresses = [server.FirstLine().Split(" at ")[1]] });
        return SteadyQueries.OnceAsync(client, "demo", demo.QueryVectors(count), OnCodes).GetAwaiter().GetResult();
    }

    /// <summary>A query may fail, or have only a part of the former shards; a hit of the one collection beside those of the other it has never.</summary>
    private static async Task MustBeOneOrTheOtherAsync(SiloCluster cluster, float[][] vectors, string[] former, string[] expected)
    {
        HashSet<string>[] whole = [.. former.Zip(expected, (one, other) => new HashSet<string>([one, other]))];
        for (int round = 0; round < 10; round++)
        {
            for (int i = 0; i < vectors.Length; i++)
            {
                try
                {
                    SearchResult answer = await cluster.Client.SearchAsync("demo", vectors[i], OnCodes);
                    if (answer.Coverage.IsFull)
                    {
                        Assert.Contains(SteadyQueries.Text(answer), whole[i]);
                    }
                }
                catch (SignpostException)
                {
                    // Its silo has started anew, and serves nothing yet.
                }
            }

            await Task.Delay(100);
        }
    }
}
