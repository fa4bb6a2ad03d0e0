using System.Net.Http.Json;
using System.Text.Json;
using Signpost.Client;
using Signpost.Cluster.Tests.Support;
using Signpost.Engine.Tests.Support;
using Signpost.Silo.Tests.Support;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>Silos that join and silos that are drained, as real processes, while queries go on that all shards must have part in.</summary>
public sealed class ElasticTests(ElasticCollection data) : IClassFixture<ElasticCollection>, IDisposable
{
    private const int Queries = 30;
    private const double Tolerance = 0.1;

    private static readonly SearchOptions Full = new() { K = 10, L = 50, RequireFull = true, Timeout = TimeSpan.FromSeconds(8) };

    private readonly RedisServer _redis = RedisServer.Durable();
    private readonly TestFolder _caches = new();

    public void Dispose()
    {
        _redis.Dispose();
        _caches.Dispose();
    }

    [RedisFact]
    public async Task A_silo_joins_and_another_is_drained_and_no_query_notices_and_no_byte_moves_in_vain()
    {
        using SiloCluster cluster = await StartAsync(3);
        string[] expected = await OnceAsync(cluster);
        await using SteadyQueries queries = Ask(cluster);
        await queries.MoreAsync(50);

        long before = CachedBytes();
        cluster.Join("silo-4");
        await UntilCalmAsync(cluster, "silo-1", 4, "silo-4 has its share");
        long moved = CachedBytes() - before;
        Assert.InRange(moved, 1, LeastBytesOfJoin(silos: 4) * 1.1);
        Assert.Equal(moved, CachedBytes("silo-4"));

        int[] had = [.. (await cluster.AskAsync("silo-2")).Collections.Single().Shards.Where(s => s.Replicas.Any(r => r.Silo == "silo-1")).Select(s => s.Shard)];
        Run dry = SignpostProcess.Run(_caches, "drain", "silo-1", "--url", cluster.Url("silo-2"), "--dry-run", "--json");
        Assert.Equal((0, "serving"), (dry.ExitCode, JsonDocument.Parse(dry.Output).RootElement.GetProperty("state").GetString()));
        before = CachedBytes();
        Run drained = SignpostProcess.Run(_caches, "drain", "silo-1", "--url", cluster.Url("silo-2"), "--json", "--quiet");
        Assert.True(drained.ExitCode == 0, drained.Error);
        Assert.Equal(0, cluster.EndOf("silo-1").ExitCode);
        await UntilCalmAsync(cluster, "silo-2", 3, "the others have what silo-1 had");
        Assert.InRange(CachedBytes() - before, 0, had.Sum(shard => data.Bytes[shard]) * 1.1);
        await queries.MoreAsync(50);

        MustBeClean(queries, expected);
        Assert.Equal(expected, await OnceAsync(cluster));
    }

    [RedisFact]
    public async Task A_drain_that_cannot_be_is_refused_with_numbers_and_a_forced_one_leaves_one_copy_of_each_shard()
    {
        using SiloCluster cluster = await StartAsync(2, throttled: true);
        string[] expected = await OnceAsync(cluster);
        string url = cluster.Url("silo-2");

        Run refused = SignpostProcess.Run(_caches, "drain", "silo-1", "--url", url);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("1 other silos", refused.Error, StringComparison.Ordinal);
        Assert.Contains("at least 2", refused.Error, StringComparison.Ordinal);
        Assert.Equal(2, SignpostProcess.Run(_caches, "drain", "silo-9", "--url", url).ExitCode);
        Assert.All((await cluster.AskAsync("silo-2")).Silos, silo => Assert.Equal("serving", silo.State));

        await using SteadyQueries queries = Ask(cluster);
        Run forced = SignpostProcess.Run(_caches, "drain", "silo-1", "--url", url, "--force", "--quiet");
        Assert.True(forced.ExitCode == 0, forced.Error);
        Assert.Equal(0, cluster.EndOf("silo-1").ExitCode);
        Assert.Equal(2, SignpostProcess.Run(_caches, "drain", "silo-2", "--url", url, "--force").ExitCode); // the last copies stay
        await queries.MoreAsync(20);
        MustBeClean(queries, expected);
    }

    [RedisFact]
    public async Task Of_three_silos_that_are_drained_at_once_enough_stay()
    {
        using SiloCluster cluster = await StartAsync(3);
        string[] expected = await OnceAsync(cluster);
        await using SteadyQueries queries = Ask(cluster);
        using var http = new HttpClient();
        HttpResponseMessage[] answers = await Task.WhenAll(cluster.Names.Select(
            silo => http.PostAsJsonAsync($"{cluster.Url(silo)}/v1/admin/drain", new { silo, force = false, dry_run = false, cancel = false })));
        string[] accepted = [.. cluster.Names.Where((_, i) => answers[i].IsSuccessStatusCode)]; // before they could hear of each other

        await cluster.UntilAsync("silo-3", c => c.Silos.Length == 2 && c.Silos.All(silo => silo.State == "serving"), $"of {string.Join(", ", accepted)} one has gone");
        Assert.Equal(0, cluster.EndOf(accepted[0]).ExitCode);
        await UntilCalmAsync(cluster, "silo-3", 2, "two silos have all shards");
        await queries.MoreAsync(50);
        MustBeClean(queries, expected);
    }

    [RedisFact]
    public async Task A_move_is_seen_and_slow_as_asked_and_a_drain_that_is_taken_back_ends_none()
    {
        using SiloCluster cluster = await StartAsync(3, throttled: true);
        Run plan = SignpostProcess.Run(_caches, "rebalance", "--dry-run", "--url", cluster.Url("silo-3"), "--json");
        Assert.Equal(0, JsonDocument.Parse(plan.Output).RootElement.GetProperty("moves").GetArrayLength());

        using var drain = SignpostProcess.Start(_caches, "drain", "silo-1", "--url", cluster.Url("silo-2"));
        await cluster.UntilAsync("silo-2", c => c.Moves.Length > 0, "moves are seen");
        ClusterInfo during = await cluster.AskAsync("silo-2");
        Assert.All(during.Moves, move => Assert.Equal("silo-1", move.From));
        Assert.All(during.Moves, move => Assert.InRange(move.Bytes, data.Bytes[move.Shard] * 0.9, data.Bytes[move.Shard] * 1.1));
        Assert.InRange(during.Moves.Length, 1, 4); // two to each of the others
        Assert.Equal("draining", during.Silos.Single(s => s.Name == "silo-1").State);

        Assert.Equal(0, SignpostProcess.Run(_caches, "drain", "silo-1", "--url", cluster.Url("silo-2"), "--cancel").ExitCode);
        Run ended = drain.End();
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("does not drain any more", ended.Error, StringComparison.Ordinal);
        await UntilCalmAsync(cluster, "silo-2", 3, "all is as it was");
        await cluster.UntilAsync("silo-1", c => c.Silos.Single(s => s.Name == "silo-1").State == "serving", "it knows of itself that it stays");
    }

    [LongTheory]
    [Trait("Long", "true")]
    [InlineData("source")]
    [InlineData("target")]
    [InlineData("leader")]
    public async Task A_silo_that_is_killed_in_the_middle_of_a_move_fails_no_query_and_the_moves_go_on(string who)
    {
        using SiloCluster cluster = await StartAsync(4, throttled: true);
        string[] expected = await OnceAsync(cluster);
        await using SteadyQueries queries = Ask(cluster);
        string leader = (await cluster.AskAsync("silo-1")).Leader!;
        string source = cluster.Names.First(name => name != leader);
        string asked = cluster.Names.Last(name => name != leader && name != source);
        using SignpostProcess drain = SignpostProcess.Start(_caches, "drain", source, "--url", cluster.Url(asked), "--watch", "--quiet");
        await cluster.UntilAsync(asked, c => c.Moves.Any(move => move.From == source && move.To != asked), "a move is on its way");
        MoveInfo move = (await cluster.AskAsync(asked)).Moves.First(m => m.From == source && m.To != asked);
        string victim = who switch { "source" => source, "target" => move.To, _ => leader };

        cluster.Signal(victim, SiloCluster.Kill);
        await queries.MoreAsync(100);
        cluster.Start(victim);

        Assert.Equal(0, drain.End().ExitCode);
        if (who != "source")
        {
            Assert.Equal(0, cluster.EndOf(source).ExitCode); // one that was killed may be back only after all has left it: then it is as a new one
        }

        await UntilCalmAsync(cluster, asked, who == "source" ? null : 3, "all is whole again");
        MustBeClean(queries, expected);
    }

    [LongFact]
    [Trait("Long", "true")]
    public async Task A_drain_that_is_watched_is_wished_again_where_it_was_taken_back()
    {
        using SiloCluster cluster = await StartAsync(3, throttled: true);
        using SignpostProcess drain = SignpostProcess.Start(_caches, "drain", "silo-1", "--url", cluster.Url("silo-2"), "--watch");
        await cluster.UntilAsync("silo-2", c => c.Moves.Length > 0, "moves are seen");

        Assert.Equal(0, SignpostProcess.Run(_caches, "drain", "silo-1", "--url", cluster.Url("silo-2"), "--cancel").ExitCode);

        Run ended = drain.End();
        Assert.Equal(0, ended.ExitCode);
        Assert.Contains("asked again", ended.Output, StringComparison.Ordinal);
        Assert.Equal(0, cluster.EndOf("silo-1").ExitCode);
    }

    [LongFact]
    [Trait("Long", "true")]
    public async Task Watching_a_balance_ends_when_its_leader_has_died_and_nothing_moves_any_more()
    {
        using SiloCluster cluster = await StartAsync(2, throttled: true, leaseMs: 10_000, graceSeconds: 600); // while one that is gone is awaited no move begins
        string leader = (await cluster.AskAsync("silo-1")).Leader!;
        string other = cluster.Names.Single(name => name != leader);
        cluster.Join("silo-3");
        await cluster.UntilAsync(other, c => c.Moves.Length > 0, "silo-3 gets its share");
        cluster.Signal("silo-3", SiloCluster.Freeze); // before it has all of it
        using SignpostProcess balance = SignpostProcess.Start(_caches, "rebalance", "--watch", "--url", cluster.Url(other));
        balance.FirstLine();

        cluster.Signal(leader, SiloCluster.Kill);
        cluster.Signal("silo-3", SiloCluster.Thaw);

        Run ended = balance.End();
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("leads now, and nothing moves any more", ended.Error, StringComparison.Ordinal);
        Assert.NotEqual(leader, (await cluster.AskAsync(other)).Leader);
    }

    private async Task<SiloCluster> StartAsync(int silos, bool throttled = false, int leaseMs = 5000, int graceSeconds = 5)
    {
        // A lease that a busy machine does not end: a second silo that is lost beside a killed one would be more than two copies bear.
        var cluster = new SiloCluster(
            silos, data.Root, $"127.0.0.1:{_redis.Port}", name => ["--cache", _caches.At(name), .. throttled ? ["--move-mib-per-second", "1"] : Array.Empty<string>()],
            leaseMs: leaseMs, graceSeconds: graceSeconds);
        foreach (string name in cluster.Names)
        {
            await cluster.UntilWholeAsync(name);
        }

        return cluster;
    }

    /// <summary>Waits until every shard has two copies and no more, nothing is on its way, and the silos hold what they should.</summary>
    private static Task UntilCalmAsync(SiloCluster cluster, string asked, int? silos, string what) => cluster.UntilAsync(
        asked,
        c => c.Silos.Length == (silos ?? c.Silos.Length) && c.Moves.Length == 0 && c.Collections.Single().Shards.All(s => s.Replicas.Length == 2 && s.Replicas.All(r => r.State == "serving"))
            && c.Silos.All(silo => silo.Shards >= Math.Floor((1 - Tolerance) * 24 / c.Silos.Length)),
        what);

    /// <summary>
    /// The least that must be fetched so that a new silo has nine tenths of its fair share: as few shards as reach it, were they the largest, and
    /// as many of the smallest.
    /// </summary>
    private long LeastBytesOfJoin(int silos)
    {
        double edge = (1 - Tolerance) * 2 * data.Bytes.Sum() / silos;
        long[] descending = [.. data.Bytes.OrderDescending()];
        int count = Enumerable.Range(1, descending.Length).First(n => descending.Take(n).Sum() >= edge);
        return data.Bytes.Order().Take(count).Sum();
    }

    /// <summary>Bytes of shards in the caches of all silos, or of one.</summary>
    private long CachedBytes(string? silo = null) => new DirectoryInfo(silo is null ? (string)_caches : _caches.At(silo)).EnumerateFiles("*", SearchOption.AllDirectories)
        .Where(file => file.Extension is ".segment" or ".codes").Sum(file => file.Length);

    private Task<string[]> OnceAsync(SiloCluster cluster) => SteadyQueries.OnceAsync(cluster.Client, ElasticCollection.Name, data.QueryVectors(Queries), Full);

    private SteadyQueries Ask(SiloCluster cluster) => new(cluster.Client, ElasticCollection.Name, data.QueryVectors(Queries), 50, Full);

    private static void MustBeClean(SteadyQueries queries, string[] expected)
    {
        Assert.True(queries.Failures.Count == 0, $"{queries.Failures.Count} of {queries.Count} failed, such as {queries.Failures.FirstOrDefault()}");
        Assert.Equal(0, queries.Partial);
        for (int row = 0; row < Queries; row++)
        {
            Assert.All(queries.Answers[row], answer => Assert.Equal(expected[row], answer));
        }
    }
}
