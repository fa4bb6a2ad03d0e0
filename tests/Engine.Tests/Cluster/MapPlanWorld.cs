using System.Collections.Immutable;
using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>Silos and the maps that a leader writes over them, one decision after the other, without codes.</summary>
internal sealed class MapPlanWorld
{
    private readonly CollectionManifest _manifest;
    private readonly SortedDictionary<string, (SiloNote Note, HashSet<int> Open, HashSet<int> Failed)> _silos = [];
    private ShardMap? _map;

    public MapPlanWorld(int silos, int shards, int replicas)
    {
        Replicas = replicas;
        SlotRange[] ranges = Slots.Split(shards);
        _manifest = new CollectionManifest(
            "c", 8, ElementType.Float32, Metric.L2, 32, 100L * shards, null,
            [.. ranges.Select((range, i) => new ManifestShard(i, range.From, range.To, $"s{i}", 100))], new BuildInfo(1, 50, 100, "0.1.0"));
        for (int i = 0; i < silos; i++)
        {
            Join($"s{i}");
        }

        Next();
        OpenAll();
        Next();
    }

    public int Replicas { get; }

    public int MovesMax { get; init; } = 2;

    public ShardMap Map => _map!;

    /// <summary>Bytes of memory of a copy.</summary>
    public long ShardBytes => _manifest.MemoryOf(_manifest.Shards[0], Residency.Mapped).Resident;

    public void Join(string name) => _silos.Add(name, (new SiloNote("", "", "", 1L << 40, 0, 0, false, []), [], []));

    public void Leave(string name) => _silos.Remove(name);

    public void Drain(string name, bool mayLoseCopies = false) =>
        _silos[name] = _silos[name] with { Note = _silos[name].Note with { IsDraining = true, MayLoseCopies = mayLoseCopies } };

    public void Undrain(string name) => _silos[name] = _silos[name] with { Note = _silos[name].Note with { IsDraining = false } };

    public void Fail(string name, int shard) => _silos[name].Failed.Add(shard);

    /// <summary>Every silo opens what the map gives it, and closes the rest.</summary>
    public void OpenAll()
    {
        foreach ((string name, (_, HashSet<int> open, HashSet<int> failed)) in _silos)
        {
            HashSet<int> given = [.. Map.Shards.Where(shard => shard.Replicas.Any(r => r.Silo == name)).Select(shard => shard.Id.Number)];
            open.IntersectWith(given);
            open.UnionWith(given.Except(failed));
        }
    }

    public MapInput Input() => new()
    {
        Manifests = [_manifest],
        Maps = _map is null ? ImmutableDictionary<string, ShardMap>.Empty : new Dictionary<string, ShardMap> { ["c"] = _map },
        Members =
        [
            .. _silos.Select(silo => new Member(
                new SiloId(silo.Key, 1),
                silo.Value.Note with
                {
                    Shards = [.. silo.Value.Open.Select(n => new HeldShard("c", n, [0])), .. silo.Value.Failed.Select(n => new HeldShard("c", n, [], "it is cut"))],
                })),
        ],
        Awaited = new HashSet<string>(),
        Unheard = new HashSet<string>(),
        Replicas = Replicas,
        MovesMax = MovesMax,
    };

    /// <summary>The leader decides once; whether the map has changed.</summary>
    public bool Next()
    {
        ShardMap? next = MapPlan.Next(Input()).Maps.SingleOrDefault();
        _map = next ?? _map;
        return next is not null;
    }

    /// <summary>Decisions and openings until nothing changes; how many maps were written.</summary>
    public int Settle()
    {
        int maps = 0;
        for (OpenAll(); Next(); OpenAll())
        {
            Assert.True(++maps < 1000, "the map changes for ever");
        }

        return maps;
    }

    /// <summary>Copies of a silo in a state.</summary>
    public int Count(string silo, ReplicaState state) => Map.Shards.Sum(shard => shard.Replicas.Count(r => r.Silo == silo && r.State == state));
}
