using Signpost.Client;
using Signpost.Silo.Tests.S3;
using Signpost.Silo.Tests.Support;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>Where silos get their shards from, and what they do with those that they cannot have.</summary>
public sealed class StoreTests(DemoCollection demo) : IClassFixture<DemoCollection>, IDisposable
{
    private readonly Lazy<RedisServer> _redis = new(() => new RedisServer());
    private readonly TestFolder _folder = new();

    public void Dispose()
    {
        if (_redis.IsValueCreated)
        {
            _redis.Value.Dispose();
        }

        _folder.Dispose();
    }

    [ClusterOnS3Fact]
    public async Task Silos_fetch_their_shards_from_a_bucket_and_serve_on_when_it_is_gone()
    {
        using var s3 = new S3Server();
        string[] store = ["--s3-endpoint", $"{s3.Endpoint}", "--s3-credentials", s3.Credentials];
        Run pushed = SignpostProcess.Run(_folder, ["push", "--collection", demo.Collection, "--store", $"s3://{S3Server.Bucket}/all", .. store]);
        Assert.True(pushed.ExitCode == 0, pushed.Error);

        using var cluster = new SiloCluster(2, $"s3://{S3Server.Bucket}/all", Redis, name => [.. store, "--cache", _folder.At(name)]);
        await cluster.UntilWholeAsync("silo-1");
        s3.Kill();

        foreach (float[] vector in demo.QueryVectors(20))
        {
            SearchResult result = await cluster.Client.SearchAsync("demo", vector, new SearchOptions { RequireFull = true });
            Assert.Equal(10, result.Hits.Length);
        }

        Assert.Equal(
            Directory.EnumerateFiles(demo.Collection, "*.segment").Select(Path.GetFileName).Order(),
            Directory.EnumerateFiles(_folder.At("silo-1", "demo"), "*.segment").Select(Path.GetFileName).Order());
    }

    [RedisFact]
    public async Task A_collection_whose_manifest_is_damaged_keeps_no_other_from_being_served()
    {
        foreach (string name in (string[])["a", "b"])
        {
            Directory.CreateDirectory(_folder.At(name));
            foreach (string file in Directory.EnumerateFiles(demo.Collection))
            {
                File.Copy(file, _folder.At(name, Path.GetFileName(file)));
            }
        }

        using var cluster = new SiloCluster(2, _folder, Redis);
        await cluster.UntilWholeAsync("silo-1");
        cluster.Stop("silo-2");
        File.WriteAllText(_folder.At("a", "manifest.json"), "{");
        cluster.Start("silo-2");

        await cluster.UntilAsync(
            "silo-2", c => c.Collections.Any(m => m.Name == "b" && m.Shards.All(s => s.Replicas.Count(r => r.State == "serving") == 2)), "the other one is whole");
        Assert.Contains("a cannot be served here", cluster.ErrorOf("silo-2"), StringComparison.Ordinal);
        Assert.True((await cluster.Client.SearchAsync("b", demo.QueryVectors(1)[0], new SearchOptions { RequireFull = true })).Coverage.IsFull);
    }

    [RedisFact]
    public async Task A_shard_whose_file_is_cut_is_missing_with_its_reason_and_the_other_answers()
    {
        Directory.CreateDirectory(_folder.At("demo"));
        foreach (string file in Directory.EnumerateFiles(demo.Collection))
        {
            File.Copy(file, _folder.At("demo", Path.GetFileName(file)));
        }

        string segment = Directory.EnumerateFiles(_folder.At("demo"), "*.segment").Order(StringComparer.Ordinal).First();
        using (FileStream cut = File.OpenWrite(segment))
        {
            cut.SetLength(cut.Length - 1);
        }

        using var cluster = new SiloCluster(2, _folder, Redis);
        await cluster.UntilAsync(
            "silo-2",
            c => c.Collections.Length == 1 && c.Collections[0].Shards[0].Replicas.Count(r => r.Reason?.Contains(Path.GetFileName(segment), StringComparison.Ordinal) == true) == 2
                && c.Collections[0].Shards[1].Replicas.Count(r => r.State == "serving") == 2,
            "the damaged shard says why, the other serves");

        SearchResult partial = await cluster.Client.SearchAsync("demo", demo.QueryVectors(1)[0]);
        Assert.Equal((1, 2, 10), (partial.Coverage.ShardsAnswered, partial.Coverage.Shards, partial.Hits.Length));
        Assert.Contains(Path.GetFileName(segment), Assert.Single(partial.Missing).Reason, StringComparison.Ordinal);
        SignpostException refused = await Assert.ThrowsAsync<SignpostException>(
            () => cluster.Client.SearchAsync("demo", demo.QueryVectors(1)[0], new SearchOptions { RequireFull = true }));
        Assert.Equal("IncompleteCoverage", refused.Code);
    }

    [Fact]
    public async Task A_silo_that_has_not_joined_yet_sends_clients_elsewhere()
    {
        using var cluster = new SiloCluster(1, demo.Root, "127.0.0.1:1");

        SignpostException failure = await Assert.ThrowsAsync<SignpostException>(() => cluster.Client.SearchAsync("demo", demo.QueryVectors(1)[0]));

        Assert.Equal((SignpostErrorKind.Unavailable, "Busy"), (failure.Kind, failure.Code));
        Assert.Contains("joining", failure.Message, StringComparison.Ordinal);
    }

    [RedisFact]
    public void A_silo_that_cannot_be_says_why_at_once()
    {
        Run noCache = Serve("--store", "s3://bucket");
        Assert.Equal(2, noCache.ExitCode);
        Assert.Contains("--cache: got none", noCache.Error, StringComparison.Ordinal);

        Run badRedis = Serve("--store", demo.Root, "--redis", "::::");
        Assert.Equal(2, badRedis.ExitCode);

#if !ORLEANS
        Run notBuilt = Serve("--store", demo.Root, "--runtime", "orleans");
        Assert.Equal(2, notBuilt.ExitCode);
        Assert.Contains("built without Orleans", notBuilt.Error, StringComparison.Ordinal);
#endif

        Run badPeer = Serve("--store", demo.Root, "--peer-url", "http://example.com:1");
        Assert.Equal(2, badPeer.ExitCode);
    }

    private string Redis => $"127.0.0.1:{_redis.Value.Port}";

    private static Run Serve(params string[] words) => SignpostProcess.Run(
        AppContext.BaseDirectory, ["serve", .. words.Contains("--runtime") ? Array.Empty<string>() : ["--runtime", "redis"], "--redis", "127.0.0.1:1", "--url", "http://127.0.0.1:0", "--peer-url", "http://127.0.0.1:0", .. words]);
}

/// <summary>A test that starts Redis and a server of the S3 protocol.</summary>
internal sealed class ClusterOnS3FactAttribute : FactAttribute
{
    public ClusterOnS3FactAttribute() => Skip = Programs.WhyNot("redis-server") ?? S3Server.Missing;
}
