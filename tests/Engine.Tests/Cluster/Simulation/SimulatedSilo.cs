using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Tests.Cluster.Simulation;

/// <summary>One process: the real membership, agent and steward over shards that open at once.</summary>
internal sealed class SimulatedSilo
{
    private readonly FakeShards _shards;
    private readonly SiloAgent _agent;
    private readonly Steward _steward;

    public SimulatedSilo(string name, SimulatedCluster cluster)
    {
        Name = name;
        State = new FaultyState(cluster.State, cluster.Written);
        _shards = new FakeShards(cluster);
        Lease = new SiloLease(State, name, SimulatedCluster.LeaseTime, cluster.Time);
        _agent = new SiloAgent(State, name, _shards, cluster.Time, TimeSpan.FromSeconds(5)) { Linger = SimulatedCluster.Linger, Replicas = cluster.Replicas };
        var options = new StewardOptions { Replicas = cluster.Replicas, Lease = SimulatedCluster.LeaseTime, MovesMax = cluster.MovesMax };
        _steward = new Steward(State, name, _ => cluster.Manifests, options, cluster.Time);
    }

    public string Name { get; }

    public FaultyState State { get; }

    public SiloLease Lease { get; }

    public bool Leads => _steward.Leads;

    public IReadOnlyList<HeldShard> Held => _shards.Held;

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

    /// <summary>One of the three things that a silo does again and again.</summary>
    /// <exception cref="CrashException">The process has died.</exception>
    public void Step(int which)
    {
        try
        {
            switch (which)
            {
                case 0:
                    Lease.Beat(new SiloNote("", "", "", 1L << 40, 0, 0, IsLeaving, _shards.Held, IsDraining, MayLoseCopies).Write(), default);
                    break;
                case 1:
                    bool wasDraining = IsDraining;
                    Lease.Use(_agent.StepAsync(Work.Quiet).AsTask().GetAwaiter().GetResult());
                    IsDrained = wasDraining && _agent.IsEmpty;
                    break;
                default:
                    _steward.StepAsync(default).AsTask().GetAwaiter().GetResult();
                    break;
            }
        }
        catch (IOException)
        {
            // The state cannot be reached; it goes on as it is.
        }
    }

    /// <summary>Shards that open at once, with the codes that the store has then, or cannot be opened for a while.</summary>
    private sealed class FakeShards(SimulatedCluster cluster) : ISiloShards
    {
        private readonly SortedDictionary<(string Collection, int Number), SortedSet<uint>> _open = [];
        private readonly HashSet<(string, int)> _failed = [];

        public IReadOnlyList<HeldShard> Held =>
        [
            .. _open.Select(p => new HeldShard(p.Key.Collection, p.Key.Number, [.. p.Value])),
            .. _failed.Select(p => new HeldShard(p.Item1, p.Item2, [], "its file is cut")),
        ];

        public long ResidentBytes => 0;

        public void Open(ShardId shard, bool isUrgent, Work work)
        {
            if (cluster.IsDamaged || cluster.ManifestOf(shard.Collection).AllShards.All(entry => entry.Id != shard.Number))
            {
                _failed.Add((shard.Collection, shard.Number));
                return;
            }

            _failed.Remove((shard.Collection, shard.Number));
            cluster.Opened += _open.ContainsKey((shard.Collection, shard.Number)) ? 0 : 1;
            _open[(shard.Collection, shard.Number)] = [0, cluster.CodesOf(shard.Collection)];
        }

        public void Close(ShardId shard)
        {
            _open.Remove((shard.Collection, shard.Number));
            _failed.Remove((shard.Collection, shard.Number));
        }

        public void Refresh(string collection, uint codesInUse, Work work)
        {
            uint newest = cluster.CodesOf(collection);
            foreach (SortedSet<uint> versions in _open.Where(p => p.Key.Collection == collection).Select(p => p.Value))
            {
                versions.Add(newest);
                versions.RemoveWhere(version => version != 0 && version != newest && version != codesInUse);
            }
        }
    }
}
