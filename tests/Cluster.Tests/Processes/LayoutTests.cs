using System.Text.Json;
using Signpost.Client;
using Signpost.Cluster.Tests.Support;
using Signpost.Engine.Tests.Support;
using Signpost.Silo.Tests.S3;
using Signpost.Silo.Tests.Support;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>Shards of a cluster that serves are split, compacted and merged, and no query is the worse for it.</summary>
public sealed class LayoutTests(DemoCollection demo) : IClassFixture<DemoCollection>, IDisposable
{
    private const int K = 10;

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

    [RedisFact]
    public async Task Queries_go_on_whole_while_shards_are_split_compacted_and_merged()
    {
        Copy();
        using var cluster = new SiloCluster(3, _folder, $"127.0.0.1:{_redis.Value.Port}");
        await cluster.UntilWholeAsync("silo-1");
        float[][] vectors = demo.QueryVectors(50);
        var options = new SearchOptions { K = K, L = 64, RequireFull = true };
        string[] before = await SteadyQueries.OnceAsync(cluster.Client, "demo", vectors, options);
        await using (var queries = new SteadyQueries(cluster.Client, "demo", vectors, 50, options))
        {
            await queries.MoreAsync(20);
            JsonElement split = Change(cluster, "split", "demo", "0");
            Assert.Equal([0], Numbers(split, "replaced"));
            Assert.Equal([2, 3, 1], split.GetProperty("shards").EnumerateArray().Select(s => s.GetProperty("shard").GetInt32()));
            await queries.MoreAsync(100);
            Assert.All(queries.Answers.Zip(before), answers => Assert.Equal([answers.Second], answers.First)); // bit for bit

            Change(cluster, "compact", "demo");
            JsonElement merged = Change(cluster, "merge", "demo", "5", "1");
            Assert.Equal([4, 6], merged.GetProperty("shards").EnumerateArray().Select(s => s.GetProperty("shard").GetInt32()));
            await queries.MoreAsync(100);
            Assert.Empty(queries.Failures);
            Assert.Equal(0, queries.Partial);
            Assert.All(queries.Answers.SelectMany(answers => answers), answer => Assert.Equal(K, Ids(answer).Distinct().Count()));
        }

        await cluster.UntilWholeAsync("silo-1");
        string[] after = await SteadyQueries.OnceAsync(cluster.Client, "demo", vectors, options);
        int[][] truth = demo.Truth(vectors, K);
        Assert.InRange(Recall(after, truth) - Recall(before, truth), -0.005, 1);
        Assert.Equal(2, Directory.EnumerateFiles(_folder.At("demo"), "*.segment").Count()); // the old ones are gone
    }

    [RedisFact]
    public async Task The_leader_keeps_shards_within_limits_and_another_one_goes_on_when_it_dies()
    {
        Copy();
        using var cluster = new SiloCluster(3, _folder, $"127.0.0.1:{_redis.Value.Port}", _ => ["--shard-vectors-max", "600"]);
        var options = new SearchOptions { K = K, L = 64, RequireFull = true };
        await cluster.UntilWholeAsync("silo-1");
        await using (var queries = new SteadyQueries(cluster.Client, "demo", demo.QueryVectors(50), 30, options))
        {
            await cluster.UntilAsync("silo-1", c => c.Collections[0].Shards.Length > 2, "a shard was split");
            string leader = (await cluster.AskAsync("silo-1")).Leader!;
            cluster.Signal(leader, SiloCluster.Kill);
            string other = cluster.Names.First(name => name != leader);
            await cluster.UntilAsync(other, c => c.Collections[0].Shards.Length == 4 && c.Collections[0].Shards.All(s => s.Vectors <= 600), "all are within the limit");
            await Wait.Until(() => new ValueTask<int>(Directory.EnumerateFiles(_folder.At("demo"), "*.segment").Count()), count => count == 4);
            await cluster.UntilWholeAsync(other, 2, leader);
            await queries.MoreAsync(30);
            Assert.Empty(queries.Failures);
            Assert.Equal(0, queries.Partial);
        }
    }

    [ClusterOnS3Fact]
    public Task Shards_of_a_bucket_whose_server_knows_no_conditions_of_writes_are_kept_within_limits_and_split_by_command() => InABucketAsync(hasConditions: false);

    [LongFact]
    [Trait("Long", "true")]
    public Task Shards_of_a_bucket_whose_server_honours_conditions_are_too() => S3Server.Missing is null ? InABucketAsync(hasConditions: true) : Task.CompletedTask;

    private async Task InABucketAsync(bool hasConditions)
    {
        using var s3 = new S3Server(hasConditions);
        string[] store = ["--s3-endpoint", $"{s3.Endpoint}", "--s3-credentials", s3.Credentials];
        string bucket = $"s3://{S3Server.Bucket}/all";
        Run pushed = SignpostProcess.Run(_folder, ["push", "--collection", demo.Collection, "--store", bucket, .. store]);
        Assert.True(pushed.ExitCode == 0, pushed.Error);
        using var cluster = new SiloCluster(
            2, bucket, $"127.0.0.1:{_redis.Value.Port}", name => [.. store, "--cache", _folder.At(name), "--shard-vectors-max", "600"]);
        await cluster.UntilWholeAsync("silo-1");
        var options = new SearchOptions { K = K, L = 64, RequireFull = true };
        await using (var queries = new SteadyQueries(cluster.Client, "demo", demo.QueryVectors(50), 30, options))
        {
            await UntilShardsAsync(4);
            int first = (await cluster.AskAsync("silo-1")).Collections[0].Shards[0].Shard;
            Run split = SignpostProcess.Run(_folder, ["split", "demo", $"{first}", "--store", bucket, .. store, "--cache", _folder.At("own"), "--json"]);
            Assert.True(split.ExitCode == 0, split.Error);
            Assert.Equal(!hasConditions, split.Error.Contains("does not honour conditions", StringComparison.Ordinal));
            await UntilShardsAsync(5); // the leader gives both halves segments of their own
            await queries.MoreAsync(30);
            Assert.Empty(queries.Failures);
            Assert.Equal(0, queries.Partial);
            Assert.All(queries.Answers.SelectMany(answers => answers), answer => Assert.Equal(K, Ids(answer).Distinct().Count()));
        }

        int segments = Directory.EnumerateFiles(Path.GetDirectoryName(s3.FileOf("all/demo/manifest.json"))!, "*.segment._S3rver_object").Count();
        Assert.Equal(5, segments); // of the former ones none is left
        Assert.Equal(DemoCollection.Count, (await cluster.AskAsync("silo-2")).Collections[0].Shards.Sum(shard => shard.Vectors));

        async Task UntilShardsAsync(int count)
        {
            await cluster.UntilAsync("silo-1", c => c.Collections[0].Shards.Length == count && IsSettled(), "all are within the limit, and the former ones forgotten");
            await cluster.UntilWholeAsync("silo-2");
        }

        bool IsSettled()
        {
            string manifest = File.ReadAllText(s3.FileOf("all/demo/manifest.json"));
            return manifest.Contains("\"replaced\":[]", StringComparison.Ordinal) && !manifest.Contains("\"whole\"", StringComparison.Ordinal);
        }
    }

    private void Copy()
    {
        Directory.CreateDirectory(_folder.At("demo"));
        foreach (string file in Directory.EnumerateFiles(demo.Collection))
        {
            File.Copy(file, _folder.At("demo", Path.GetFileName(file)));
        }
    }

    private static double Recall(string[] answers, int[][] truth) => answers.Zip(truth, (answer, t) => (double)Ids(answer).Intersect(t).Count() / t.Length).Average();

    private static IEnumerable<int> Ids(string answer) => answer.Split(' ').Select(hit => int.Parse(hit.Split(':')[0]));

    private static IEnumerable<int> Numbers(JsonElement report, string member) => report.GetProperty(member).EnumerateArray().Select(n => n.GetInt32());

    private JsonElement Change(SiloCluster cluster, params string[] words)
    {
        Run run = SignpostProcess.Run(_folder, [.. words, "--store", _folder, "--url", cluster.Url("silo-2"), "--threads", "1", "--json", "--quiet"]);
        Assert.True(run.ExitCode == 0, run.Error);
        JsonElement report = JsonDocument.Parse(run.Output).RootElement;
        Assert.True(report.GetProperty("swept").GetBoolean());
        return report;
    }
}
