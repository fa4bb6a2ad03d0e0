using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Support;

namespace Signpost.Engine.Tests.Cluster.Simulation;

/// <summary>Trainings in whole clusters, with time and faults of the test's making: the real trainer, membership, agents and leaders over shards without vectors.</summary>
public class TrainingSimulationTests
{
    private static readonly TimeSpan Calm = TimeSpan.FromMinutes(1);

    [Fact]
    public void Every_shard_is_encoded_once_and_all_queries_turn_by_one_map()
    {
        SimulatedCluster cluster = Calmed();
        long version = cluster.Maps["c0"].Version;

        Begin(cluster, "s1");
        cluster.Run(Calm);

        MustHaveEnded(cluster, TrainingState.Done, resumed: 0);
        Assert.Equal((2u, version + 1), (cluster.Maps["c0"].CodesVersion, cluster.Maps["c0"].Version));
        Assert.Equal(4, cluster.Encoded.Count);
        Assert.All(cluster.Encoded.Values, times => Assert.Equal(1, times));
    }

    public static TheoryData<string, TrainingStep> Losses
    {
        get
        {
            var losses = new TheoryData<string, TrainingStep>();
            foreach (string who in (string[])["trainer", "leader", "shard", "trainer and leader"])
            {
                foreach (TrainingStep step in Enum.GetValues<TrainingStep>())
                {
                    losses.Add(who, step);
                }
            }

            return losses;
        }
    }

    [Theory]
    [MemberData(nameof(Losses))]
    public void The_silo_of_the_trainer_the_leader_or_a_shard_may_die_at_every_step(string who, TrainingStep step)
    {
        SimulatedCluster cluster = Calmed();
        string leader = cluster.Living.Single(silo => silo.Leads).Name;
        string trainer = who == "trainer and leader" ? leader : cluster.Living.First(silo => !silo.Leads).Name;
        string shard = cluster.Living.First(silo => silo.Name != leader && silo.Name != trainer).Name;
        string victim = who switch { "leader" => leader, "shard" => shard, _ => trainer };
        Begin(cluster, trainer);
        cluster.Silos[trainer]!.State.DiesAtDelete = step == TrainingStep.Cleaning && victim == trainer; // a step without a wait
        for (int turns = 0; cluster.Silos[trainer] is { } silo && silo.Trainer.Known.Single().Step < step; turns++)
        {
            Assert.True(turns < 1000, $"{step} does not come");
            foreach (int which in (int[])[0, 3, 5])
            {
                cluster.Step(trainer, which);
            }

            if (step > TrainingStep.Turning)
            {
                cluster.Run(TimeSpan.FromMilliseconds(500));
            }
        }

        cluster.Kill(victim);
        cluster.Run(Calm);
        MustHaveEnded(cluster, TrainingState.Done, resumed: victim == trainer ? 1 : 0, isWhole: false);
        cluster.Start(victim);
        cluster.Run(Calm);

        MustHaveEnded(cluster, TrainingState.Done, resumed: victim == trainer ? 1 : 0);
        Assert.All(cluster.Encoded.Values, times => Assert.Equal(1, times));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_trainer_may_die_before_or_after_each_of_its_calls_to_the_state_and_the_store(bool after)
    {
        for (int at = 1; ; at++)
        {
            SimulatedCluster cluster = Calmed();
            string name = cluster.Living.First(silo => !silo.Leads).Name;
            SimulatedSilo trainer = cluster.Silos[name]!;
            trainer.State.CrashAt = trainer.State.Calls + at;
            trainer.State.CrashAfter = after;
            bool isBegun = true;
            try
            {
                Begin(cluster, name);
            }
            catch (CrashException)
            {
                cluster.Kill(name);
                isBegun = TrainingRun.Read(cluster.Store, "c0", default) is not null;
            }

            for (int i = 0; i < 100 && cluster.Silos[name] == trainer && RecordOf(cluster).State == TrainingState.Running; i++)
            {
                cluster.Run(TimeSpan.FromMilliseconds(500));
            }

            bool isOver = cluster.Silos[name] == trainer;
            cluster.Kill(name);
            cluster.Run(TimeSpan.FromSeconds(30));
            cluster.Start(name);
            cluster.Run(TimeSpan.FromSeconds(30));
            if (isBegun)
            {
                MustHaveEnded(cluster, TrainingState.Done, resumed: null);
            }
            else
            {
                Assert.Equal(1u, cluster.CodesOf("c0"));
                cluster.MustBeWhole();
            }

            if (isOver)
            {
                Assert.True(at > 50, "the calls of a training are more than that");
                break;
            }
        }
    }

    [Fact]
    public void A_trainer_that_was_frozen_for_longer_than_its_lease_writes_nothing_any_more_wherever_it_was()
    {
        for (int turns = 1; turns < 30; turns++)
        {
            SimulatedCluster cluster = Calmed();
            string name = cluster.Living.First(silo => !silo.Leads).Name;
            Begin(cluster, name);
            for (int i = 0; i < turns; i++)
            {
                cluster.Step(name, 5);
            }

            SimulatedSilo frozen = cluster.Silos[name]!;
            frozen.IsFrozen = true;
            cluster.Run(Calm); // another one has gone on, and ended
            MustHaveEnded(cluster, TrainingState.Done, resumed: 1, isWhole: false);
            CollectionManifest manifest = cluster.ManifestOf("c0");
            byte[] record = BytesFile.Read(cluster.Store, "c0", TrainingRecord.FileName, default)!;

            frozen.IsFrozen = false;
            for (int i = 0; i < 40; i++)
            {
                cluster.Step(name, 5); // before it has beaten
            }

            Assert.Same(manifest, cluster.ManifestOf("c0"));
            Assert.Equal(record, BytesFile.Read(cluster.Store, "c0", TrainingRecord.FileName, default));
            cluster.Run(Calm);
            MustHaveEnded(cluster, TrainingState.Done, resumed: 1);
        }
    }

    [Fact]
    public void A_training_that_is_stopped_at_any_turn_leaves_nothing_but_its_record_and_the_codes_before()
    {
        for (int turns = 0; ; turns++)
        {
            SimulatedCluster cluster = Calmed();
            string[] before = [.. cluster.Store.FilesOf("c0")];
            Begin(cluster, "s1");
            for (int i = 0; i < turns; i++)
            {
                cluster.Step("s1", 5);
            }

            bool isCommitted = cluster.CodesOf("c0") == 2;
            Assert.True(Stop(cluster, "s1").Ok);
            cluster.Run(Calm);
            if (isCommitted)
            {
                MustHaveEnded(cluster, TrainingState.Done, resumed: 0, isClean: false);
                Assert.True(turns > 10);
                return;
            }

            Assert.Equal((TrainingState.Stopped, 1u), (RecordOf(cluster).State, cluster.CodesOf("c0")));
            Assert.Equal([.. before, TrainingRecord.FileName], cluster.Store.FilesOf("c0"));
            cluster.MustBeWhole();
            Assert.All(cluster.Living.SelectMany(silo => silo.Held), held => Assert.Equal([0u, 1u], held.CodesVersions));
            Begin(cluster, "s2", seed: 2); // another one of the same number
            cluster.Run(Calm);
            MustHaveEnded(cluster, TrainingState.Done, resumed: 0);
        }
    }

    [Fact]
    public void Of_two_trainings_and_of_a_training_and_a_split_one_is_refused_or_comes_to_nothing()
    {
        SimulatedCluster cluster = Calmed();
        Begin(cluster, "s1");
        Assert.Equal(ProblemCode.Busy, TryBegin(cluster, "s1").Problem?.Code);
        Assert.Equal(ProblemCode.Busy, TryBegin(cluster, "s2").Problem?.Code);
        Assert.Equal(ProblemCode.NotFound, Stop(cluster, "s2").Problem?.Code);
        for (int i = 0; i < 5; i++)
        {
            cluster.Step("s1", 5);
        }

        cluster.Change("c0", LayoutChange.Split(cluster.ManifestOf("c0"), 0).Value); // a store without a lock lets it
        cluster.Run(Calm);

        TrainingRecord record = RecordOf(cluster);
        Assert.Equal((TrainingState.Failed, 1u), (record.State, cluster.CodesOf("c0")));
        Assert.Contains("another manifest", record.Reason, StringComparison.Ordinal);
        cluster.MustBeWhole();
        Problem refused = TryBegin(cluster, "s1").Problem!; // its halves are parts of one segment
        Assert.Contains("compact", refused.Mend, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_happens_while_collections_are_trained_no_query_mixes_codes_and_all_is_whole_when_it_ends() => Storms(1, 60);

    [LongFact]
    [Trait("Long", "true")]
    public void Whatever_happens_in_ten_thousand_histories_of_trainings_no_query_mixes_codes() => Storms(1001, 10_000);

    private static void Storms(long first, int count) => new Work(Environment.ProcessorCount).For("histories", count, 1, (at, _, _) =>
    {
        try
        {
            Storm((ulong)(first + at));
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {first + at}: {e.Message}", e);
        }
    });

    private static void Storm(ulong seed)
    {
        var random = new Seeded(seed, 3);
        var cluster = new SimulatedCluster(silos: 2 + random.Next(3), shards: 1 + random.Next(4), replicas: 1 + random.Next(2)) { Trains = true };
        cluster.Run(TimeSpan.FromSeconds(8));
        string[] names = [.. cluster.Silos.Keys];
        for (int i = 0; i < 2000; i++)
        {
            Disturb(cluster, names[random.Next(names.Length)], random);
        }

        foreach (string name in names)
        {
            if (cluster.Silos[name] is { } silo)
            {
                (silo.IsFrozen, silo.State.IsCut, silo.State.CrashAt) = (false, false, 0);
            }
            else
            {
                cluster.Start(name);
            }
        }

        cluster.Run(Calm * 3);
        cluster.MustBeWhole();
        if (TrainingRun.Read(cluster.Store, "c0", default) is { } record)
        {
            Assert.NotEqual(TrainingState.Running, record.State);
            Assert.All(cluster.Living, silo => Assert.False(silo.Trainer.IsTraining));
            HashSet<string> named = [.. cluster.ManifestOf("c0").Files, TrainingRecord.FileName];
            bool mayLeave = record is { State: TrainingState.Done, Reason: not null }; // stopped while queries turned: the next training removes it
            Assert.True(mayLeave || cluster.Store.FilesOf("c0").All(named.Contains), $"left: {string.Join(", ", cluster.Store.FilesOf("c0").Except(named))}");
        }
    }

    /// <summary>One step of a process, some time, or something that happens.</summary>
    private static void Disturb(SimulatedCluster cluster, string name, Seeded random)
    {
        SimulatedSilo? silo = cluster.Silos[name];
        switch (random.Next(1000))
        {
            case < 850:
                cluster.Step(name, random.Next(6));
                break;
            case < 950:
                cluster.Time.Pass(TimeSpan.FromMilliseconds(random.Next(300)));
                break;
            case < 954:
                cluster.Kill(name);
                break;
            case < 960 when silo is not null:
                silo.State.CrashAt = silo.State.Calls + 1 + random.Next(20);
                silo.State.CrashAfter = random.Next(2) == 0;
                break;
            case < 964 when silo is not null:
                silo.IsFrozen = !silo.IsFrozen;
                break;
            case < 968 when silo is not null:
                silo.State.IsCut = !silo.State.IsCut;
                break;
            case < 980 when silo is { IsFrozen: false }:
                Try(cluster, name, () => TryBegin(cluster, name, (ulong)random.Next(3)));
                break;
            case < 982 when silo is { IsFrozen: false }:
                Try(cluster, name, () => Stop(cluster, name));
                break;
            default:
                if (silo is null)
                {
                    cluster.Start(name);
                }

                break;
        }
    }

    private static void Try(SimulatedCluster cluster, string name, Action act)
    {
        try
        {
            act();
        }
        catch (CrashException)
        {
            cluster.Kill(name);
        }
        catch (IOException)
        {
            // The state cannot be reached.
        }
    }

    private static SimulatedCluster Calmed()
    {
        var cluster = new SimulatedCluster(silos: 3, shards: 4, replicas: 2) { Trains = true };
        cluster.Run(Calm);
        return cluster;
    }

    private static void Begin(SimulatedCluster cluster, string name, ulong seed = 1) => TryBegin(cluster, name, seed).OrThrow();

    private static Outcome<TrainingRecord> TryBegin(SimulatedCluster cluster, string name, ulong seed = 1)
    {
        var options = new QuantizerOptions { M = 2, K = 16, TrainingVectors = 256, Iterations = 1, Seed = seed };
        return cluster.Silos[name]!.Trainer.StartAsync("c0", TrainingOrder.Of(new VectorQuantizerMethod(QuantizerKind.Pq, options), 1), default).AsTask().GetAwaiter().GetResult();
    }

    private static Outcome<TrainingRecord> Stop(SimulatedCluster cluster, string name) =>
        cluster.Silos[name]!.Trainer.StopAsync("c0", default).AsTask().GetAwaiter().GetResult();

    private static TrainingRecord RecordOf(SimulatedCluster cluster) => TrainingRun.Read(cluster.Store, "c0", default)!;

    private static void MustHaveEnded(SimulatedCluster cluster, TrainingState state, int? resumed, bool isWhole = true, bool isClean = true)
    {
        TrainingRecord record = RecordOf(cluster);
        Assert.True(record.State == state, $"{record.State} at {record.Step}: {record.Reason}");
        Assert.Equal(resumed ?? record.Resumed, record.Resumed);
        Assert.Equal(2u, cluster.CodesOf("c0"));
        Assert.Equal(2u, cluster.Maps["c0"].CodesVersion);
        if (isClean)
        {
            HashSet<string> named = [.. cluster.ManifestOf("c0").Files, TrainingRecord.FileName];
            Assert.DoesNotContain(cluster.Store.FilesOf("c0"), file => !named.Contains(file));
        }

        if (isWhole)
        {
            cluster.MustBeWhole();
            Assert.All(cluster.Living, silo => Assert.Equal((state, record.Number), (silo.Trainer.Known.Single().State, silo.Trainer.Known.Single().Number)));
        }
    }
}
