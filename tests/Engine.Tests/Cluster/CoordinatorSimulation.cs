using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Xunit.Abstractions;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>Random clusters with random failures on a clock that the test moves, against brute force. A seed gives the same run again.</summary>
public class CoordinatorSimulation(ITestOutputHelper output)
{
    private static readonly Problem Stale = new(ProblemCode.StaleVersion, "codes", "1", "2", "again");
    private static readonly Problem Busy = new(ProblemCode.Busy, "searches", "9", "8", "later");

    /// <summary>Every call is answered, late, failed, refused or lost at random; nothing keeps a replica alive.</summary>
    [Fact]
    public void Whatever_fails_the_answer_is_that_of_the_shards_it_says_it_is_of()
    {
        int partial = 0;
        int full = 0;
        for (ulong seed = 0; seed < 1500; seed++)
        {
            var random = new Seeded(seed, 1);
            using var cluster = new ScriptedCluster(RandomReplicas(ref random)) { Here = random.Next(2) == 0 ? "a" : null };
            double trouble = random.NextDouble();
            cluster.Script = call =>
            {
                Reply reply = random.NextDouble() < trouble ? RandomTrouble(ref random, call) : Reply.In(random.NextDouble() * 80);
                if (call.Silo != cluster.Here)
                {
                    return reply;
                }

                cluster.Time.Pass(TimeSpan.FromMilliseconds(random.Next(60))); // a local search takes the thread; others answer meanwhile
                return reply with { After = null };
            };
            Coordinator coordinator = cluster.NewCoordinator(localQueue: () => random.Next(2) * 100);
            for (int i = 0; i < 4; i++)
            {
                int k = 1 + random.Next(40);
                Answered answer = cluster.Ask(coordinator, TimeSpan.FromMilliseconds(500), k);

                Assert.InRange(answer.Took, TimeSpan.Zero, TimeSpan.FromMilliseconds(501 + 59)); // a local search ends as late as it likes here
                if (answer.Outcome.Problem is { } problem)
                {
                    Assert.Equal(Stale, problem);
                    continue;
                }

                int[] missing = [.. answer.Value.Missing.Select(m => m.Shard.Number)];
                Assert.Distinct(missing);
                ShardEntry[] answered = [.. cluster.Map.Shards.Where(shard => !missing.Contains(shard.Id.Number))];
                Assert.Equal(cluster.Nearest(k, missing), answer.Hits);
                Assert.Equal(
                    new Coverage(answered.Length, cluster.Map.Shards.Length, answered.Sum(s => s.Vectors), cluster.Map.Vectors), answer.Value.Coverage);
                _ = missing.Length == 0 ? full++ : partial++;
            }

            AssertNothingIsLeft(cluster);
        }

        Assert.True(partial > 500 && full > 500, $"{partial} partial, {full} full");
    }

    /// <summary>At any time some silos are frozen, dead, busy or have lost shards, but every shard has a replica that answers.</summary>
    [Fact]
    public void While_every_shard_has_one_living_replica_no_query_fails()
    {
        int queries = 0;
        for (ulong seed = 0; seed < 40; seed++)
        {
            var random = new Seeded(seed, 2);
            using var cluster = new ScriptedCluster(RandomReplicas(ref random));
            Coordinator coordinator = cluster.NewCoordinator();
            var faults = new Dictionary<string, Fault>();
            cluster.Script = call => faults[call.Silo] switch
            {
                Fault.None => Reply.In(random.Next(50) == 0 ? 300 * random.NextDouble() : 1 + (4 * random.NextDouble())),
                Fault.Frozen => Reply.Never,
                Fault.Dead => Reply.FailsIn(random.NextDouble()),
                Fault.Refusing => new Reply(null, "connection refused"),
                Fault.Busy => Reply.In(1) with { Refusal = Busy },
                Fault.Empty => Reply.In(2) with { Missing = call.Shards },
                _ => throw new InvalidOperationException(),
            };
            for (int phase = 0; phase < 10; phase++)
            {
                HashSet<string> living = RandomCover(cluster.Map, ref random);
                foreach (string silo in cluster.Map.Shards.SelectMany(s => s.Serving).Select(r => r.Silo.Name).Distinct())
                {
                    faults[silo] = living.Contains(silo) ? Fault.None : (Fault)random.Next(6);
                }

                queries += RunPhase(cluster, coordinator, ref random);
            }

            AssertNothingIsLeft(cluster);
            output.WriteLine(
                $"seed {seed}: {cluster.Map.Shards.Length} shards, {cluster.Calls.Count} calls, {coordinator.Retries} retries, {coordinator.Hedges} hedges, {coordinator.Failures} failures");
        }

        Assert.True(queries > 10_000);
    }

    private enum Fault
    {
        None,
        Frozen,
        Dead,
        Refusing,
        Busy,
        Empty,
    }

    /// <summary>Some queries that come at random times, up to dozens at once; all must have the whole answer.</summary>
    private static int RunPhase(ScriptedCluster cluster, Coordinator coordinator, ref Seeded random)
    {
        var searches = new List<(Task<Answered> Search, int K, TimeSpan Timeout)>();
        int queries = 20 + random.Next(60);
        double meanGapMs = Math.Exp(random.NextDouble() * 5);
        for (int i = 0; i < queries; i++)
        {
            int k = 1 + random.Next(30);
            TimeSpan timeout = TimeSpan.FromMilliseconds(1500 + (random.NextDouble() * 4000));
            searches.Add((cluster.Start(coordinator, Deadline.After(timeout, cluster.Time), k, requireFull: true), k, timeout));
            cluster.Time.Pass(TimeSpan.FromMilliseconds(-meanGapMs * Math.Log(1 - random.NextDouble())));
        }

        foreach ((Task<Answered> search, int k, TimeSpan timeout) in searches)
        {
            Answered answer = cluster.Finish(search);
            Assert.True(answer.Outcome.Ok, answer.Outcome.Problem?.ToString());
            Assert.Equal(cluster.Nearest(k), answer.Hits);
            Assert.InRange(answer.Took, TimeSpan.Zero, timeout);
        }

        return queries;
    }

    private static void AssertNothingIsLeft(ScriptedCluster cluster)
    {
        cluster.Time.Pass(TimeSpan.FromMinutes(1));
        Assert.DoesNotContain(cluster.Calls, call => call.CancelledAt is null && !call.HasEnded);
    }

    /// <summary>1 to 12 shards with 1 to 3 replicas in 2 to 6 silos.</summary>
    private static string[] RandomReplicas(ref Seeded random)
    {
        int silos = 2 + random.Next(5);
        var shards = new string[1 + random.Next(12)];
        for (int shard = 0; shard < shards.Length; shard++)
        {
            var replicas = new HashSet<int>();
            for (int i = random.Next(3); i >= 0; i--)
            {
                replicas.Add(random.Next(silos));
            }

            shards[shard] = string.Join(' ', replicas.Select(silo => (char)('a' + silo)));
        }

        return shards;
    }

    private static HashSet<string> RandomCover(ShardMap map, ref Seeded random)
    {
        var living = new HashSet<string>();
        foreach (ShardEntry shard in map.Shards)
        {
            string[] silos = [.. shard.Serving.Select(r => r.Silo.Name)];
            if (!silos.Any(living.Contains))
            {
                living.Add(silos[random.Next(silos.Length)]);
            }
        }

        return living;
    }

    private static Reply RandomTrouble(ref Seeded random, ScriptedCall call) => random.Next(7) switch
    {
        0 => Reply.Never,
        1 => Reply.FailsIn(random.NextDouble() * 100),
        2 => new Reply(null, "no connection"),
        3 => new Reply(random.Next(2) == 0 ? null : TimeSpan.FromMilliseconds(7), Missing: [call.Shards[random.Next(call.Shards.Length)]]),
        4 => Reply.In(400 * random.NextDouble()),
        5 => Reply.In(1) with { Refusal = Busy },
        _ => Reply.In(1) with { Refusal = random.Next(4) == 0 ? Stale : null },
    };
}
