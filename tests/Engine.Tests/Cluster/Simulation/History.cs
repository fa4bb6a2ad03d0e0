using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Tests.Cluster.Simulation;

/// <summary>
/// What happens to a cluster, drawn by a seed: steps of its processes in any order, deaths, freezes, cuts, joins, drains, and changes of collections.
/// Every map that is written on the way is held to what must always be true; at the end, when all is mended, everything must be whole.
/// </summary>
internal sealed class History
{
    private static readonly TimeSpan Calm = TimeSpan.FromMinutes(1.5);

    /// <summary>What may happen next, and how often it does; more kinds go here.</summary>
    private static readonly (int Weight, Action<History> Happen)[] Events =
    [
        (800, h => h._cluster.Step(h._name, h._random.Next(3))),
        (150, h => h._cluster.Time.Pass(TimeSpan.FromMilliseconds(h._random.Next(400)))),
        (5, h => h._cluster.Kill(h._name)),
        (7, Living((h, silo) => (silo.State.CrashAt, silo.State.CrashAfter) = (silo.State.Calls + 1 + h._random.Next(10), h._random.Next(2) == 0))),
        (6, Living((_, silo) => silo.IsFrozen = !silo.IsFrozen)),
        (5, Living((_, silo) => silo.State.IsCut = !silo.State.IsCut)),
        (2, h => h._cluster.IsDamaged = !h._cluster.IsDamaged),
        (12, h => h.StartAgain(h._name)),
        (4, h => h.Join()),
        (6, Living((h, silo) => (silo.IsDraining, silo.MayLoseCopies) = (!silo.IsDraining, h._random.Next(3) == 0))),
        (4, Living((_, silo) => silo.Balance(0.01))),
        (3, h => h.Change(Split)),
        (2, h => h.Change(Merge)),
        (2, h => h.Change((_, manifest) => LayoutChange.Compact(manifest))),
        (3, h => h.Forget()),
        (2, h => h._cluster.Train(h.Collection)),
    ];

    private static readonly int AllWeights = Events.Sum(e => e.Weight);

    private readonly SimulatedCluster _cluster;
    private Seeded _random; // a struct: drawing changes it
    private string _name = ""; // of the silo to which something happens

    private History(ulong seed)
    {
        _random = new Seeded(seed, 0);
        _cluster = new SimulatedCluster(
            silos: 2 + _random.Next(4), shards: 1 + _random.Next(6), replicas: 1 + _random.Next(3), collections: 1 + _random.Next(2), movesMax: 1 + _random.Next(3));
    }

    private string Collection => $"c{_random.Next(_cluster.Manifests.Count)}";

    /// <summary>Lives the histories of <paramref name="count"/> seeds; the first that breaks something is told by its seed.</summary>
    /// <returns>How often something happened in them that the tests want to have seen.</returns>
    public static HistoryCounts All(ulong first, int count)
    {
        var counts = new HistoryCounts();
        new Work(Environment.ProcessorCount).For("histories", count, 1, (at, _, _) =>
        {
            ulong seed = first + (ulong)at;
            try
            {
                var history = new History(seed);
                history.Live();
                counts.Add(history._cluster);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        });
        return counts;
    }

    private void Live()
    {
        _cluster.Run(TimeSpan.FromSeconds(_random.Next(20)));
        for (int i = 0; i < 2000; i++)
        {
            string[] names = [.. _cluster.Silos.Keys];
            _name = names[_random.Next(names.Length)];
            Next()(this);
        }

        Mend();
        SimulatedSilo[] draining = [.. _cluster.Living.Where(silo => silo.IsDraining)];
        int staying = _cluster.Living.Count() - draining.Length;
        SimulatedSilo[] ending = [.. draining.Where(silo => staying >= (silo.MayLoseCopies ? 1 : _cluster.Replicas))];
        bool isDrained = _cluster.RunUntil(() => ending.All(silo => _cluster.Silos[silo.Name] is null), Calm);
        Assert.True(isDrained, $"of {string.Join(", ", ending.Select(silo => silo.Name))} some were not drained");
        Array.ForEach(draining, silo => silo.IsDraining = false);
        _cluster.MustBecomeWhole(Calm);
    }

    private Action<History> Next()
    {
        int at = _random.Next(AllWeights);
        foreach ((int weight, Action<History> happen) in Events)
        {
            if ((at -= weight) < 0)
            {
                return happen;
            }
        }

        throw new InvalidOperationException("the weights are above nothing");
    }

    private static Action<History> Living(Action<History, SimulatedSilo> happen) => h =>
    {
        if (h._cluster.Silos[h._name] is { } silo)
        {
            happen(h, silo);
        }
    };

    private void StartAgain(string name)
    {
        if (_cluster.Silos[name] is null)
        {
            _cluster.Drained.Remove(name);
            _cluster.Start(name);
        }
    }

    private void Join()
    {
        if (_cluster.Silos.Count < 7)
        {
            _cluster.Start($"s{_cluster.Silos.Count}");
        }
    }

    private void Change(Func<History, CollectionManifest, LayoutChange?> choose)
    {
        string name = Collection;
        if (_cluster.ManifestOf(name).AllShards.Count() < 30) // splits, as they come, would outgrow everything
        {
            _cluster.Change(name, choose(this, _cluster.ManifestOf(name)));
        }
    }

    private static LayoutChange? Split(History h, CollectionManifest manifest) =>
        LayoutChange.Split(manifest, manifest.Shards[h._random.Next(manifest.Shards.Count)].Id).Value;

    private static LayoutChange? Merge(History h, CollectionManifest manifest)
    {
        int at = h._random.Next(manifest.Shards.Count);
        return at == 0 ? null : LayoutChange.Merge(manifest, manifest.Shards[at - 1].Id, manifest.Shards[at].Id).Value;
    }

    /// <summary>The files of former shards go when queries have turned, as a leader or an operator sees to it.</summary>
    private void Forget()
    {
        string name = Collection;
        if (_cluster.Maps.TryGetValue(name, out ShardMap? map) && LayoutPlan.HasLayoutOf(map, _cluster.ManifestOf(name)))
        {
            _cluster.Forget(name);
        }
    }

    /// <summary>Ends all faults, and starts what is dead, but for silos that were drained while others stay.</summary>
    private void Mend()
    {
        _cluster.IsDamaged = false;
        foreach ((string name, SimulatedSilo? silo) in _cluster.Silos.ToArray())
        {
            if (silo is not null)
            {
                (silo.IsFrozen, silo.State.IsCut, silo.State.CrashAt) = (false, false, 0);
            }
            else if (!_cluster.Drained.Contains(name) || _cluster.Living.All(other => other.IsDraining))
            {
                _cluster.Start(name);
            }
        }
    }
}

/// <summary>What happened in histories: a test that saw none of it has shown nothing.</summary>
internal sealed class HistoryCounts
{
    private int _maps;
    private int _turns;
    private int _opened;
    private int _drained;

    public int Maps => _maps;

    public int Turns => _turns;

    public int Opened => _opened;

    public int Drained => _drained;

    public void Add(SimulatedCluster cluster)
    {
        Interlocked.Add(ref _maps, (int)cluster.Maps.Values.Sum(map => map.Version));
        Interlocked.Add(ref _turns, cluster.Turns);
        Interlocked.Add(ref _opened, cluster.Opened);
        Interlocked.Add(ref _drained, cluster.Drained.Count);
    }
}
