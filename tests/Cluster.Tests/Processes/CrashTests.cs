using System.Net.Http.Json;
using Signpost.Client;
using Signpost.Cluster.Tests.Support;
using Signpost.Engine.Base;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Support;
using Signpost.Silo.Tests.Support;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>A demo of four shards.</summary>
public sealed class FourShards() : DemoCollection(4);

/// <summary>
/// Silos that are killed (SIGKILL) at each named step of a change of the cluster: at a request to Redis that is the step, before Redis gets it or after it
/// has done it. Whatever was killed, and started again: no epoch has two owners, no query fails or misses a shard, exact answers stay the same bit for bit,
/// and the change finishes or is undone.
/// </summary>
public sealed class CrashTests(FourShards demo) : IClassFixture<FourShards>, IDisposable
{
    private const int Shards = 4;
    private const string Newcomer = "silo-4";

    private static readonly SearchOptions Exact = new() { K = 100, Mode = SearchMode.Exact, RequireFull = true, Timeout = TimeSpan.FromSeconds(8) };

    /// <summary>The named steps, each with who takes it.</summary>
    private static readonly Dictionary<string, (string Who, Func<RedisRequest, Roles, bool> IsStep)> Steps = new()
    {
        ["the leader gives the target a shard"] = ("leader", (r, roles) => r.Map is { } map && map.Shards.Any(s => s.Replicas.Any(c => c.Silo == roles.Target && c.State != Engine.Cluster.ReplicaState.Serving))),
        ["the target says that it has the shard"] = ("target", (r, roles) => r.Note is { } note && note.Shards.Count(s => s.CodesVersions.Count > 0) > roles.TargetHad),
        ["the leader turns queries to the target"] = ("leader", (r, roles) => r.Map is { } map && map.Shards.Count(s => s.Serving.Any(c => c.Silo.Name == roles.Target)) > roles.TargetHad),
        ["the source says that it has closed the shard"] = ("source", (r, roles) => r.Note is { } note && note.Shards.Count < roles.SourceHad),
        ["the source says that it is to be drained"] = ("source", (r, _) => r.Note is { IsDraining: true }),
        ["the leader names the shards that come"] = ("leader", (r, _) => r.Map is { } map && map.Coming.Length > 0),
        ["the leader says who is to open them"] = ("leader", (r, _) => r.Map is { } map && map.Coming.Length > 0 && map.Coming.All(s => s.Replicas.Length > 0)),
        ["a holder says that it has them"] = ("anyone", (r, _) => r.Note is { } note && note.Shards.Any(s => s.Number >= Shards && s.CodesVersions.Count > 0)),
        ["the leader turns queries to them"] = ("leader", (r, roles) => r.Map is { } map && map.Coming.IsEmpty && map.Shards.Max(s => s.Id.Number) > roles.NewestShard),
        ["a holder says that it has closed the old ones"] = ("source", (r, roles) => r.Note is { } note && note.Shards.Count > 0 && !note.Shards.Any(s => roles.Leaving.Contains(s.Number))),
    };

    private static readonly string[] OfMoves =
        ["the leader gives the target a shard", "the target says that it has the shard", "the leader turns queries to the target", "the source says that it has closed the shard"];

    private static readonly string[] OfLayouts =
    [
        "the leader names the shards that come", "the leader says who is to open them", "a holder says that it has them", "the leader turns queries to them",
        "a holder says that it has closed the old ones",
    ];

    private readonly RedisServer _redis = RedisServer.Durable();
    private readonly TestFolder _folder = new();
    private readonly Dictionary<string, RedisTap> _taps = [];

    public static TheoryData<string, string, bool> Few => new()
    {
        { "join", OfMoves[2], true }, { "drain", OfMoves[1], false }, { "split", OfLayouts[3], false }, { "merge", OfLayouts[2], true },
    };

    public static TheoryData<string, string, bool> All
    {
        get
        {
            var all = new TheoryData<string, string, bool>();
            foreach (bool afterwards in (bool[])[false, true])
            {
                Array.ForEach(OfMoves, step => all.Add("join", step, afterwards));
                Array.ForEach([.. OfMoves, "the source says that it is to be drained"], step => all.Add("drain", step, afterwards));
                foreach (string change in (string[])["split", "merge", "compact"])
                {
                    Array.ForEach(OfLayouts, step => all.Add(change, step, afterwards));
                }
            }

            return all;
        }
    }

    public void Dispose()
    {
        foreach (RedisTap tap in _taps.Values)
        {
            tap.Dispose();
        }

        _redis.Dispose();
        _folder.Dispose();
    }

    [RedisTheory]
    [MemberData(nameof(Few))]
    public Task A_silo_is_killed_at_a_step_of_a_change(string change, string step, bool afterwards) => KillAtAsync(change, step, afterwards);

    [LongTheory]
    [Trait("Long", "true")]
    [MemberData(nameof(All))]
    public Task A_silo_is_killed_at_every_step_of_every_change(string change, string step, bool afterwards) => KillAtAsync(change, step, afterwards);

    private async Task KillAtAsync(string change, string step, bool afterwards)
    {
        Copy();
        if (change == "compact")
        {
            Change(m => LayoutChange.Split(m, 0).OrThrow());
        }

        using var cluster = new SiloCluster(3, _folder, "", leaseMs: 3000, redisOf: name => TapOf(name).Address, graceSeconds: 3);
        foreach (string name in cluster.Names)
        {
            await cluster.UntilWholeAsync(name);
        }

        await using var agreement = new Agreement(_redis, cluster.Name, "demo");
        float[][] vectors = demo.QueryVectors(20);
        string[] expected = await SteadyQueries.OnceAsync(cluster.Client, "demo", vectors, Exact);
        Roles roles = await RolesOfAsync(cluster, change);
        (string who, Func<RedisRequest, Roles, bool> isStep) = Steps[step];
        string[] suspects = who switch { "leader" => [roles.Leader], "target" => [roles.Target], "source" => [roles.Source], _ => [.. cluster.Names] };
        await using (var queries = new SteadyQueries(cluster.Client, "demo", vectors, 20, Exact))
        {
            Task<string> killed = KillFirst(suspects, request => isStep(request, roles), afterwards, cluster);
            await BeginAsync(cluster, change, roles);
            string victim = await killed.WaitAsync(TimeSpan.FromSeconds(60));
            cluster.End(victim);
            cluster.Start(victim);
            await cluster.UntilAsync(cluster.Names.First(name => name != roles.Source), c => IsDone(c, change, roles, victim), $"{change} has ended, after {victim} was killed when {step}");
            await queries.MoreAsync(20);
            Assert.True(queries.Failures.Count == 0, $"{queries.Failures.Count} of {queries.Count} failed, such as {queries.Failures.FirstOrDefault()}");
            Assert.Equal(0, queries.Partial);
            for (int row = 0; row < vectors.Length; row++)
            {
                Assert.All(queries.Answers[row], answer => Assert.Equal(expected[row], answer));
            }
        }

        Assert.Empty(await agreement.EndAsync());
    }

    /// <summary>Kills the first of some silos that takes a step; ends with its name.</summary>
    private Task<string> KillFirst(string[] suspects, Func<RedisRequest, bool> isStep, bool afterwards, SiloCluster cluster)
    {
        int steps = 0;
        var killed = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (string suspect in suspects)
        {
            TapOf(suspect).KillAt(request => isStep(request) && Interlocked.Increment(ref steps) == 1, afterwards, () =>
            {
                cluster.Signal(suspect, SiloCluster.Kill);
                killed.SetResult(suspect);
            });
        }

        return killed.Task;
    }

    private RedisTap TapOf(string name)
    {
        lock (_taps)
        {
            return _taps.TryGetValue(name, out RedisTap? tap) ? tap : _taps[name] = new RedisTap(_redis.Port);
        }
    }

    /// <summary>Who is what: the source is no leader where there is a choice, and holds what is changed.</summary>
    private static async Task<Roles> RolesOfAsync(SiloCluster cluster, string change)
    {
        ClusterInfo now = await cluster.AskAsync("silo-1");
        int Held(string silo) => now.Collections[0].Shards.Count(s => s.Replicas.Any(r => r.Silo == silo));
        int[] numbers = [.. now.Collections[0].Shards.Select(s => s.Shard)];
        int[] leaving = change switch { "split" => [0], "merge" => [0, 1], "compact" => [numbers[0], numbers[1]], _ => [] };
        string[] holders =
        [
            .. cluster.Names.Where(name => name != now.Leader)
                .Where(name => leaving.Length == 0 || now.Collections[0].Shards.Any(s => leaving.Contains(s.Shard) && s.Replicas.Any(r => r.Silo == name)))
                .OrderByDescending(Held),
        ];
        string source = holders[0];
        string target = change == "join" ? Newcomer : cluster.Names.First(name => name != source && name != now.Leader);
        return new Roles(now.Leader!, source, target, Held(source), change == "join" ? 0 : Held(target), numbers.Max(), leaving);
    }

    private async Task BeginAsync(SiloCluster cluster, string change, Roles roles)
    {
        switch (change)
        {
            case "join":
                cluster.Join(Newcomer);
                break;
            case "drain":
                using (var http = new HttpClient { BaseAddress = new Uri(cluster.Url(roles.Source)) })
                {
                    try
                    {
                        using HttpResponseMessage answer = await http.PostAsJsonAsync("/v1/admin/drain", new { silo = roles.Source, force = false, dry_run = false, cancel = false });
                        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
                    }
                    catch (HttpRequestException)
                    {
                        // It was killed before it answered.
                    }
                }

                break;
            case "split":
                Change(m => LayoutChange.Split(m, 0).OrThrow());
                break;
            case "merge":
                Change(m => LayoutChange.Merge(m, 0, 1).OrThrow());
                break;
            default:
                Change(m => LayoutChange.Compact(m)!);
                break;
        }
    }

    private static bool IsDone(ClusterInfo now, string change, Roles roles, string victim)
    {
        if (now.Collections.Length == 0)
        {
            return false; // the one that is asked has just been started again
        }

        IReadOnlyList<ShardInfo> shards = now.Collections[0].Shards;
        bool isWhole = now.Moves.Length == 0 && shards.All(s => s.Replicas.Length == 2 && s.Replicas.All(r => r.State == "serving"));
        bool isChanged = change switch
        {
            "join" => shards.Count(s => s.Replicas.Any(r => r.Silo == Newcomer)) >= 1,
            // A silo that was killed and is back knows nothing of the wish to drain it.
            "drain" => victim == roles.Source || now.Silos.All(silo => silo.Name != roles.Source),
            _ => !shards.Any(s => roles.Leaving.Contains(s.Shard)),
        };
        return isWhole && isChanged && shards.Sum(s => s.Vectors) == DemoCollection.Count
            && now.Silos.Length == (change == "join" ? 4 : change == "drain" && victim != roles.Source ? 2 : 3);
    }

    private void Change(Func<CollectionManifest, LayoutChange> choose) =>
        LayoutJob.Run(FileDisk.Instance, _folder.At("demo"), m => new Outcome<LayoutChange?>(choose(m), null), long.MaxValue, null, new Work(1)).OrThrow();

    private void Copy()
    {
        Directory.CreateDirectory(_folder.At("demo"));
        foreach (string file in Directory.EnumerateFiles(demo.Collection))
        {
            File.Copy(file, _folder.At("demo", Path.GetFileName(file)));
        }
    }

    /// <param name="Leader">Who leads at the start.</param>
    /// <param name="Source">Has what leaves.</param>
    /// <param name="Target">Gets what comes.</param>
    /// <param name="SourceHad">Shards that the source had at the start.</param>
    /// <param name="TargetHad">Shards that the target had at the start.</param>
    /// <param name="NewestShard">The highest number of a shard at the start.</param>
    /// <param name="Leaving">Numbers of the shards that are replaced.</param>
    private sealed record Roles(string Leader, string Source, string Target, int SourceHad, int TargetHad, int NewestShard, int[] Leaving);
}
