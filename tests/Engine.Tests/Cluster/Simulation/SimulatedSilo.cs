using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Tests.Cluster.Simulation;

/// <summary>One process: the real membership, agent and steward over shards that open at once.</summary>
internal sealed class SimulatedSilo
{
    /// <summary>The step in which it opens and closes shards.</summary>
    public const int OpensAndCloses = 1;

    private readonly FakeShards _shards;
    private readonly SimulatedCluster _cluster;
    private readonly SimulatedTraining _training;
    private readonly SiloAgent _agent;
    private readonly Steward _steward;

    public SimulatedSilo(string name, SimulatedCluster cluster)
    {
        Name = name;
        _cluster = cluster;
        State = new FaultyState(cluster.State, cluster.Written);
        _shards = new FakeShards(cluster);
        Lease = new SiloLease(State, name, SimulatedCluster.LeaseTime, cluster.Time);
        _agent = new SiloAgent(State, name, _shards, cluster.Time, TimeSpan.FromSeconds(5)) { Linger = SimulatedCluster.Linger, Replicas = cluster.Replicas };
        var options = new StewardOptions { Replicas = cluster.Replicas, Lease = SimulatedCluster.LeaseTime, MovesMax = cluster.MovesMax };
        _steward = new Steward(State, name, _ => cluster.Manifests, options, cluster.Time);
        _training = new SimulatedTraining(name, cluster, State);
    }

    public string Name { get; }

    /// <summary>What is open here.</summary>
    public FakeShards Shards => _shards;

    /// <summary>Its part in trainings.</summary>
    public Trainer Trainer => _training.Trainer;

    public FaultyState State { get; }

    public SiloLease Lease { get; }

    public bool Leads => _steward.Leads;

    public IReadOnlyList<HeldShard> Held => _shards.Held;

    /// <summary>Whether it has a shard open, or cannot open it.</summary>
    public bool Holds(ShardId shard) => _shards.Holds(shard);

    /// <summary>A frozen process does nothing, and later goes on as if no time had passed.</summary>
    public bool IsFrozen { get; set; }

    public bool IsLeaving { get; set; }

    /// <summary>Whether it drains; a process that starts anew does not know of it.</summary>
    public bool IsDraining { get; set; }

    public bool MayLoseCopies { get; set; }

    /// <summary>Whether it was drained, and has nothing left.</summary>
    public bool IsDrained { get; private set; }

    /// <summary>Lets the leader balance once; whether this one leads.</summary>
    public bool Balance(double tolerance) => _steward.Balance(tolerance);

    /// <summary>Ends it in order.</summary>
    public void End()
    {
        _steward.LeaveAsync(default).AsTask().GetAwaiter().GetResult();
        Lease.LeaveAsync(default).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>One of the things that a silo does again and again; those from 3 on are of trainings.</summary>
    /// <exception cref="CrashException">The process has died.</exception>
    public void Step(int which)
    {
        try
        {
            switch (which)
            {
                case 0:
                    var note = new SiloNote("", "", "", 1L << 40, 0, 0, IsLeaving, _shards.Held, IsDraining, MayLoseCopies) { Maps = _agent.Maps };
                    Lease.Beat(note.Write(), default);
                    break;
                case OpensAndCloses:
                    bool wasDraining = IsDraining;
                    Lease.Use(_agent.StepAsync(Work.Quiet).AsTask().GetAwaiter().GetResult());
                    IsDrained = wasDraining && _agent.IsEmpty;
                    break;
                case 2:
                    _steward.StepAsync(default).AsTask().GetAwaiter().GetResult();
                    break;
                case 3:
                    Trainer.BeatAsync(default).AsTask().GetAwaiter().GetResult();
                    break;
                case 4:
                    Trainer.LookAsync([.. _cluster.Maps.Keys], Leads && !IsLeaving, default).AsTask().GetAwaiter().GetResult();
                    break;
                default:
                    _training.Step();
                    break;
            }
        }
        catch (IOException)
        {
            // The state cannot be reached; it goes on as it is.
        }
    }

    /// <summary>Shards that open at once, with the codes that the store has then, or cannot be opened for a while.</summary>
    internal sealed class FakeShards(SimulatedCluster cluster) : ISiloShards
    {
        private readonly SortedDictionary<(string Collection, int Number), SortedDictionary<uint, string>> _open = []; // files of codes by their version
        private readonly Dictionary<string, uint> _known = []; // version of the manifest that this silo uses
        private readonly HashSet<(string, int)> _failed = [];
        private List<HeldShard>? _held; // null when something has changed

        public IReadOnlyList<HeldShard> Held => _held ??=
        [
            .. _open.Select(p => new HeldShard(p.Key.Collection, p.Key.Number, [.. p.Value.Keys.Where(version => version <= _known.GetValueOrDefault(p.Key.Collection))])),
            .. _failed.Select(p => new HeldShard(p.Item1, p.Item2, [], "its file is cut")),
        ];

        public long ResidentBytes => 0;

        /// <summary>Name of the file of the codes of a version; null where they are not open.</summary>
        public string? CodesOf(ShardId shard, uint version) => _open.GetValueOrDefault((shard.Collection, shard.Number))?.GetValueOrDefault(version);

        public bool Holds(ShardId shard) => _open.ContainsKey((shard.Collection, shard.Number)) || _failed.Contains((shard.Collection, shard.Number));

        public void Open(ShardId shard, string lineage, bool isUrgent, Work work)
        {
            _held = null;
            if (cluster.IsDamaged || cluster.ManifestOf(shard.Collection).AllShards.All(entry => entry.Id != shard.Number))
            {
                _failed.Add((shard.Collection, shard.Number));
                return;
            }

            _failed.Remove((shard.Collection, shard.Number));
            cluster.Opened += _open.ContainsKey((shard.Collection, shard.Number)) ? 0 : 1;
            _open[(shard.Collection, shard.Number)] = new SortedDictionary<uint, string> { [0] = "", [cluster.CodesOf(shard.Collection)] = FileOf(shard.Collection, shard.Number) };
            _known[shard.Collection] = cluster.CodesOf(shard.Collection);
        }

        public void Close(ShardId shard)
        {
            _held = null;
            _open.Remove((shard.Collection, shard.Number));
            _failed.Remove((shard.Collection, shard.Number));
        }

        public void Refresh(string collection, uint codesInUse, Work work)
        {
            uint newest = cluster.CodesOf(collection);
            bool isKnown = _known.GetValueOrDefault(collection) == newest;
            _known[collection] = newest;
            _held = isKnown ? _held : null;
            foreach (((string Collection, int Number) shard, SortedDictionary<uint, string> codes) in _open.Where(p => p.Key.Collection == collection))
            {
                int before = codes.Count;
                bool isNew = codes.TryAdd(newest, "");
                codes[newest] = FileOf(collection, shard.Number);
                foreach (uint old in codes.Keys.Where(version => version != 0 && version < newest && version != codesInUse).ToArray())
                {
                    codes.Remove(old);
                }

                _held = isNew || codes.Count != before ? null : _held;
            }
        }

        /// <summary>As a silo does: the codes are made unless the store has them, and opened unless others of their version are in use.</summary>
        public Outcome<string> PrepareCodes(ShardId shard, string quantizerFile)
        {
            if (!_open.TryGetValue((shard.Collection, shard.Number), out SortedDictionary<uint, string>? codes))
            {
                throw new IOException($"{shard} is not open here");
            }

            string file = CollectionFiles.Codes(cluster.ManifestOf(shard.Collection).AllShards.Single(entry => entry.Id == shard.Number).Segment, quantizerFile);
            uint version = cluster.VersionOf(shard.Collection, quantizerFile);
            if (version <= _known[shard.Collection] && codes.GetValueOrDefault(version) != file)
            {
                return new Problem(ProblemCode.NotSupported, "codes", "another quantizer of this version", "a version of its own", "Open the collection again.");
            }

            if (cluster.Store.LengthOf(shard.Collection, file, default) is null)
            {
                cluster.Store.PutCodes(shard.Collection, file);
                cluster.Encoded[file] = cluster.Encoded.GetValueOrDefault(file) + 1;
            }

            codes[version] = file;
            _held = null;
            return file;
        }

        /// <summary>Lets prepared codes go.</summary>
        public void DropCodes(ShardId shard, uint version)
        {
            if (version > _known.GetValueOrDefault(shard.Collection))
            {
                _held = null;
                _open.GetValueOrDefault((shard.Collection, shard.Number))?.Remove(version);
            }
        }

        private string FileOf(string collection, int number) => cluster.ManifestOf(collection).AllShards.FirstOrDefault(entry => entry.Id == number)?.Codes ?? "gone";
    }
}
