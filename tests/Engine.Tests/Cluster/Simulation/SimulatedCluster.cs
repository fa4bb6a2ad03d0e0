using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Support;

namespace Signpost.Engine.Tests.Cluster.Simulation;

/// <summary>Silos over one state and one clock, stepped by the test; every map that is written is held to what must always be true.</summary>
internal sealed class SimulatedCluster
{
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(3);
    public static readonly TimeSpan Linger = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, SimulatedSilo?> _silos = [];
    private readonly Dictionary<long, string> _leaders = [];
    private readonly Dictionary<string, ShardMap> _newest = [];
    private readonly Dictionary<string, CollectionManifest> _manifests = [];
    private readonly List<(ShardMap Map, TimeSpan Until, Dictionary<SiloId, SimulatedSilo> Silos)> _inUse = []; // by queries that began before a newer map
    private readonly Dictionary<(ShardId Shard, uint Version), string> _codes = []; // the one file that queries mean
    private long _epoch;

    public SimulatedCluster(int silos, int shards, int replicas, int collections = 1, int movesMax = 2)
    {
        Replicas = replicas;
        MovesMax = movesMax;
        State = new EmbeddedClusterState(Time);
        Store = new SimulatedStore(this);
        for (int i = 0; i < collections; i++)
        {
            _manifests[$"c{i}"] = SimulatedManifests.Built($"c{i}", shards);
        }

        for (int i = 0; i < silos; i++)
        {
            Start($"s{i}");
        }
    }

    public ManualTime Time { get; } = new();

    public EmbeddedClusterState State { get; }

    /// <summary>What trainings leave there.</summary>
    public SimulatedStore Store { get; }

    /// <summary>How often each file of codes was made.</summary>
    public Dictionary<string, int> Encoded { get; } = [];

    /// <summary>Whether silos have part in trainings.</summary>
    public bool Trains { get; set; }

    public int Replicas { get; }

    /// <summary>Copies that may be on their way to a silo before another move to it begins.</summary>
    public int MovesMax { get; }

    /// <summary>Shards that were opened since the beginning.</summary>
    public int Opened { get; set; }

    /// <summary>The silos that were drained and have ended.</summary>
    public HashSet<string> Drained { get; } = [];

    /// <summary>How often queries turned to other shards.</summary>
    public int Turns { get; private set; }

    /// <summary>Whether shards cannot be opened.</summary>
    public bool IsDamaged { get; set; }

    /// <summary>Processes by name; null for one that is dead.</summary>
    public IReadOnlyDictionary<string, SimulatedSilo?> Silos => _silos;

    public IEnumerable<SimulatedSilo> Living => _silos.Values.OfType<SimulatedSilo>();

    public IReadOnlyDictionary<string, ShardMap> Maps => _newest;

    public IReadOnlyList<CollectionManifest> Manifests => [.. _manifests.Values];

    public CollectionManifest ManifestOf(string collection) => _manifests[collection];

    public uint CodesOf(string collection) => _manifests[collection].CodesVersion;

    /// <summary>A training has ended: the store has newer codes.</summary>
    public void Train(string collection) => _manifests[collection] = SimulatedManifests.Trained(_manifests[collection]);

    /// <summary>A training has committed.</summary>
    public void Commit(string collection, CollectionManifest next)
    {
        CollectionManifest old = _manifests[collection];
        Assert.Equal(old.CodesVersion + 1, next.CodesVersion);
        Assert.True(old.IsSameButCodes(next));
        Assert.NotNull(Store.LengthOf(collection, next.Quantizer!.File, default));
        Assert.All(next.Shards, shard => Assert.NotNull(Store.LengthOf(collection, shard.Codes!, default)));
        _manifests[collection] = next;
    }

    /// <summary>Version of a quantizer that a training has published.</summary>
    public uint VersionOf(string collection, string quantizerFile)
    {
        byte[]? bytes = BytesFile.Read(Store, collection, quantizerFile, default);
        return bytes is null ? throw new IOException($"{quantizerFile} is gone") : PublishedQuantizer.Parse(quantizerFile, bytes, quantizerFile).Quantizer.Version;
    }

    /// <summary>The shards have been changed in the store.</summary>
    public void Change(string collection, LayoutChange? change) =>
        _manifests[collection] = change is null ? _manifests[collection] : SimulatedManifests.Changed(_manifests[collection], change);

    /// <summary>Other vectors are in the store under the same name.</summary>
    public void Rebuild(string collection, int shards) => _manifests[collection] = SimulatedManifests.Built(collection, shards);

    /// <summary>The files of former shards have been removed.</summary>
    public void Forget(string collection) => _manifests[collection] = SimulatedManifests.Forgotten(_manifests[collection]);

    public void Start(string name) => _silos[name] = new SimulatedSilo(name, this);

    public void Kill(string name)
    {
        if (_silos[name] is { } silo)
        {
            silo.State.IsDead = true;
        }

        _silos[name] = null;
    }

    /// <summary>One step of a process that is neither dead nor frozen; it may be its last.</summary>
    public void Step(string name, int which)
    {
        if (_silos[name] is { IsFrozen: false } silo)
        {
            try
            {
                silo.Step(which);
                if (which == SimulatedSilo.OpensAndCloses)
                {
                    QueriesMustFindTheirShards();
                }

                if (silo.IsDrained)
                {
                    silo.End();
                    Drained.Add(name);
                    Kill(name);
                }
            }
            catch (CrashException)
            {
                Kill(name);
            }
        }
    }

    /// <summary>Lets every process do everything in turn, for a time.</summary>
    public void Run(TimeSpan time)
    {
        for (TimeSpan end = Time.Now + time; Time.Now < end; Time.Pass(TimeSpan.FromMilliseconds(500)))
        {
            foreach (string name in _silos.Keys)
            {
                for (int which = 0; which < (Trains ? 6 : 3); which++)
                {
                    Step(name, which);
                }
            }
        }
    }

    /// <summary>Lets every process do everything until <paramref name="holds"/>, or for so long.</summary>
    public bool RunUntil(Func<bool> holds, TimeSpan longest)
    {
        for (TimeSpan end = Time.Now + longest; Time.Now < end;)
        {
            Run(Look);
            if (holds())
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Fails unless everything is as it should be soon, and still is a while later.</summary>
    public void MustBecomeWhole(TimeSpan longest)
    {
        RunUntil(() => Record.Exception(MustBeWhole) is null, longest);
        Run(Look);
        MustBeWhole();
    }

    /// <summary>Checks a map that has just been written.</summary>
    public void Written(ShardMap map, Lease? leader)
    {
        Assert.NotNull(leader);
        Assert.True(leader.Epoch >= _epoch, "a leader of an earlier epoch has written");
        _epoch = leader.Epoch;
        Assert.Equal(leader.Holder, _leaders.TryGetValue(leader.Epoch, out string? other) ? other : _leaders[leader.Epoch] = leader.Holder);
        ShardMap? before = _newest.GetValueOrDefault(map.Collection);
        Assert.Equal((before?.Version ?? 0) + 1, map.Version);
        _newest[map.Collection] = map;
        if (before is not null)
        {
            _inUse.Add((before, Time.Now + Linger, Living.Where(silo => silo.Lease.Silo is not null).ToDictionary(silo => silo.Lease.Silo!.Value)));
        }

        Dictionary<string, Member> members = Member.AllAsync(State, default).Result.ToDictionary(m => m.Silo.Name);
        foreach (ShardEntry shard in map.Shards)
        {
            Assert.Distinct(shard.Replicas.Select(r => r.Silo));
            bool Has(Replica r, uint codes) => members.GetValueOrDefault(r.Silo) is { } m && m.Held(shard.Id)?.CodesVersions.Contains(codes) == true;
            Assert.All(shard.Replicas.Where(r => r.State == ReplicaState.Serving), r =>
            {
                if (!members.ContainsKey(r.Silo) && before!.AllShards.Single(s => s.Id == shard.Id).Replicas.Contains(r))
                {
                    return; // nothing has been heard of it by a leader who has just begun: it stays as it was
                }

                Assert.Equal(members[r.Silo].Silo, r.Id);
                Assert.True(Has(r, map.CodesVersion), $"{r.Silo} is said to serve {shard.Id} with codes {map.CodesVersion}, and does not say so itself");
            });
            ShardEntry? old = before?.Shards.FirstOrDefault(s => s.Id == shard.Id);
            if (old is not null && old.Replicas.Any(r => r.State == ReplicaState.Serving && Has(r, map.CodesVersion)))
            {
                Assert.True(shard.IsServing, $"{shard.Id} was served, could be served, and is not any more");
            }

            if (old is not null)
            {
                MustBeMadeBeforeBroken(old, shard, members);
                MustBeFew(before!, old, shard, members, map.CodesVersion);
            }
        }

        if (before is not null)
        {
            MustTurnWell(before, map, members);
        }
    }

    /// <summary>A copy that serves in a silo that lives goes only when enough others do.</summary>
    private void MustBeMadeBeforeBroken(ShardEntry old, ShardEntry next, Dictionary<string, Member> members)
    {
        int able = members.Values.Count(member => !member.Note.IsDraining);
        foreach (Replica gone in old.Replicas.Where(r => r.State == ReplicaState.Serving && !next.Replicas.Any(n => n.Silo == r.Silo)))
        {
            if (members.GetValueOrDefault(gone.Silo) is { } member && member.Silo == gone.Id)
            {
                bool mustStay = member.Note is { IsDraining: true, MayLoseCopies: false };
                int needed = mustStay ? Replicas : Math.Max(1, Math.Min(Replicas, able));
                Assert.True(next.Serving.Count() >= needed, $"{gone.Silo} has let {old.Id} go while {next.Serving.Count()} others serve, and {needed} must");
            }
        }
    }

    /// <summary>A move begins only where few are on their way to the same silo, and none of the same shard.</summary>
    private void MustBeFew(ShardMap before, ShardEntry old, ShardEntry next, Dictionary<string, Member> members, uint codes)
    {
        if (codes != before.CodesVersion || next.Serving.Count() < Replicas)
        {
            return; // what is missing need not wait
        }

        // What moves is a segment: a part of one that the silo has, or was to have, is no move.
        bool IsOnItsWay(ShardEntry shard, Replica r) =>
            r.State == ReplicaState.Opening && members.GetValueOrDefault(r.Silo) is { } m && PartsOf(shard).All(part => m.Held(part) is null);
        bool Had(Replica r) => before.AllShards.Any(shard => SegmentOf(shard) == SegmentOf(old) && shard.Replicas.Any(o => o.Silo == r.Silo));
        foreach (Replica begun in next.Replicas.Where(r => IsOnItsWay(next, r) && !Had(r)))
        {
            Assert.Single(next.Replicas, r => IsOnItsWay(next, r));
            if (_manifests.Count > 1)
            {
                continue; // the other maps that the same leader has just decided are not written yet
            }

            int arriving = _newest.Values.SelectMany(map => map.Shards).Where(shard => shard.Replicas.Any(r => r.Silo == begun.Silo && IsOnItsWay(shard, r)))
                .DistinctBy(SegmentOf).Count(); // parts of a segment move together
            Assert.True(
                arriving <= MovesMax,
                $"a move of {next.Id} to {begun.Silo} has begun while {arriving - 1} copies were on their way to it:\n" + string.Join('\n', _newest.Values.SelectMany(map => map.Shards)
                    .Select(shard => $"{shard.Id}: {string.Join(", ", shard.Replicas.Select(r => $"{r.Silo} {r.State}"))}")) + $"\nbefore {next.Id}: {string.Join(", ", old.Replicas.Select(r => $"{r.Silo} {r.State}"))}");
        }
    }

    /// <summary>A shard and all that have a part of its segment.</summary>
    private IEnumerable<ShardId> PartsOf(ShardEntry shard) => _manifests[shard.Id.Collection].AllShards
        .Where(entry => entry.Segment == SegmentOf(shard).Segment).Select(entry => new ShardId(shard.Id.Collection, entry.Id)).Append(shard.Id);

    private (string Collection, string Segment) SegmentOf(ShardEntry shard) => (
        shard.Id.Collection, _manifests[shard.Id.Collection].AllShards.FirstOrDefault(entry => entry.Id == shard.Id.Number)?.Segment ?? $"{shard.Id.Number}");

    /// <summary>A query that began with a map that is not the newest any more finds what that map says, for a while.</summary>
    private void QueriesMustFindTheirShards()
    {
        if (Trains)
        {
            foreach (ShardMap map in _newest.Values)
            {
                MustBeOfOneTraining(map);
            }
        }

        _inUse.RemoveAll(used => used.Until <= Time.Now);
        foreach ((ShardMap map, _, Dictionary<SiloId, SimulatedSilo> silos) in _inUse)
        {
            foreach (ReplicaId asked in map.Shards.SelectMany(shard => shard.Serving))
            {
                if (silos.GetValueOrDefault(asked.Silo) is { } silo && _silos[silo.Name] == silo)
                {
                    Assert.True(silo.Holds(asked.Shard), $"{asked.Silo} has closed {asked.Shard}, which queries with map {map.Version} still ask of it");
                }
            }
        }
    }

    /// <summary>The codes that a map names are the same files wherever queries find them.</summary>
    private void MustBeOfOneTraining(ShardMap map)
    {
        CollectionManifest manifest = _manifests[map.Collection];
        foreach (ReplicaId asked in map.Shards.SelectMany(shard => shard.Serving))
        {
            if (_silos.GetValueOrDefault(asked.Silo.Name) is { } silo && silo.Lease.Silo == asked.Silo && silo.Shards.CodesOf(asked.Shard, map.CodesVersion) is { } file)
            {
                string? named = _codes.GetValueOrDefault((asked.Shard, map.CodesVersion));
                named ??= _codes[(asked.Shard, map.CodesVersion)] =
                    map.CodesVersion == manifest.CodesVersion ? manifest.AllShards.FirstOrDefault(entry => entry.Id == asked.Shard.Number)?.Codes ?? file : file;
                Assert.True(named == file, $"{asked.Silo} has {file} of {asked.Shard} where queries of version {map.CodesVersion} mean {named}");
            }
        }
    }

    /// <summary>Queries turn to other shards only when these serve, and those that were under way still find the old ones.</summary>
    private void MustTurnWell(ShardMap before, ShardMap map, Dictionary<string, Member> members)
    {
        Assert.Equal(before.Lineage, map.Lineage);
        ShardEntry[] added = [.. map.Shards.Where(s => before.Shards.All(old => old.Id != s.Id))];
        if (added.Length == 0)
        {
            return;
        }

        Turns++;
        Assert.Empty(map.Coming);
        Assert.Equal(_manifests[map.Collection].Shards.Select(s => s.Id), map.Shards.Select(s => s.Id.Number));
        Assert.All(added, shard => Assert.True(shard.IsServing));
        foreach (ShardEntry gone in before.Shards.Where(s => map.Shards.All(next => next.Id != s.Id)))
        {
            foreach (Replica replica in gone.Replicas.Where(r => r.State == ReplicaState.Serving))
            {
                Assert.True(members.GetValueOrDefault(replica.Silo) is not { } m || m.Silo != replica.Id || m.Held(gone.Id) is not null, $"{replica.Silo} closed {gone.Id} too soon");
            }
        }
    }

    /// <summary>Fails unless everything is as it should be when nothing has happened for a while.</summary>
    public void MustBeWhole()
    {
        Dictionary<string, SiloId> ids = Living.ToDictionary(silo => silo.Name, silo => silo.Lease.Silo!.Value);
        Assert.Single(Living, silo => silo.Leads);
        foreach ((string collection, CollectionManifest manifest) in _manifests)
        {
            ShardMap map = _newest[collection];
            Assert.Equal(manifest.CodesVersion, map.CodesVersion);
            Assert.Equal(manifest.Shards.Select(s => s.Id), map.Shards.Select(s => s.Id.Number));
            Assert.Empty(map.Coming);
            Assert.All(map.Shards, shard =>
            {
                Assert.Equal(Math.Min(Replicas, ids.Count), shard.Replicas.Length);
                Assert.All(shard.Replicas, r => Assert.Equal((ReplicaState.Serving, ids[r.Silo]), (r.State, r.Id)));
                Assert.All(shard.Replicas, r => Assert.Null(_silos[r.Silo]!.Lease.WhyNot(r.Id)));
            });
        }

        Assert.All(Living, silo => Assert.Equal(
            _newest.Values.SelectMany(map => map.Shards).Where(s => s.Replicas.Any(r => r.Silo == silo.Name)).Select(s => s.Id.ToString()).Order(),
            silo.Held.Select(h => $"{h.Collection}/{h.Number}").Order()));
    }
}
