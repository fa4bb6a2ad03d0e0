using Signpost.Engine.Base;
using Signpost.Engine.Cluster;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>Silos, shards and who holds what, with plans made of them and dull sums over the plans.</summary>
internal sealed record PlacementWorld(IReadOnlyList<PlacementSilo> Silos, IReadOnlyList<PlacementShard> Shards, int Replicas)
{
    public IReadOnlyDictionary<ShardId, IReadOnlyList<string>> Present { get; init; } = new Dictionary<ShardId, IReadOnlyList<string>>();

    public double Tolerance { get; init; } = Placement.DefaultTolerance;

    public double TotalBytes => Shards.Sum(shard => (double)Math.Max(1, shard.Bytes));

    /// <summary>Silos that may hold something.</summary>
    public PlacementSilo[] Usable => [.. Silos.Where(silo => !silo.IsLeaving && silo.CapacityBytes > 0)];

    /// <summary>Silos that are alike but for their names; zones in turn.</summary>
    public static PlacementWorld Of(int silos, int shards, int replicas, long capacity = 1000, int zones = 1, long bytes = 10) => new(
        [.. Enumerable.Range(0, silos).Select(i => new PlacementSilo($"s{i:D4}", $"z{i % zones}", capacity, false))],
        [.. Enumerable.Range(0, shards).Select(i => new PlacementShard(new ShardId("docs", i), bytes))], replicas);

    /// <summary>Anything, from numbers alone.</summary>
    public static PlacementWorld Random(ulong seed)
    {
        var random = new Seeded(seed, 0);
        int silos = 1 + random.Next(8);
        int zones = 1 + random.Next(5);
        int shards = random.Next(25);
        int largest = 1 + random.Next(100);
        int replicas = 1 + random.Next(4);
        double room = 0.3 + (2 * random.NextDouble());
        PlacementShard[] all = [.. Enumerable.Range(0, shards).Select(i => new PlacementShard(new ShardId(random.Next(3) > 0 ? "docs" : "images", i), random.Next(largest + 1)))];
        long mean = 1 + (long)(room * replicas * all.Sum(shard => shard.Bytes) / silos);
        PlacementSilo[] there = [.. Enumerable.Range(0, silos).Select(
            i => new PlacementSilo($"s{i}", $"z{random.Next(zones)}", (long)(mean * 2 * random.NextDouble()), random.Next(8) == 0))];
        var present = new Dictionary<ShardId, IReadOnlyList<string>>();
        foreach (PlacementShard shard in all.Where(_ => random.Next(4) > 0))
        {
            present[shard.Id] = [.. Enumerable.Range(0, random.Next(replicas + 2)).Select(_ => $"s{random.Next(silos + 2)}").Distinct()];
        }

        return new PlacementWorld(there, all, replicas) { Present = present };
    }

    /// <summary>Whether a shard has more replicas in silos that may go on holding them than are wanted.</summary>
    public bool HasSurplus => Present.Values.Any(silos => silos.Count(silo => Usable.Any(usable => usable.Name == silo)) > Math.Min(Replicas, Usable.Length));

    /// <summary>The same with no more replicas than are wanted.</summary>
    public PlacementWorld WithoutSurplus() => this with
    {
        Present = Present.ToDictionary(
            shard => shard.Key, shard => (IReadOnlyList<string>)[.. shard.Value.Where(silo => Usable.Any(usable => usable.Name == silo)).Take(Replicas)]),
    };

    public PlacementPlan Plan() => Placement.Plan(Silos, Shards, Replicas, Present, Tolerance);

    /// <summary>The world in which <paramref name="plan"/> has become true.</summary>
    public PlacementWorld After(PlacementPlan plan) => this with { Present = plan.Assignment };

    public string ZoneOf(string silo) => Silos.First(s => s.Name == silo).Zone;

    /// <summary>Bytes of the replicas that no silo holds that may go on holding them.</summary>
    public double Lost()
    {
        HashSet<string> usable = [.. Usable.Select(silo => silo.Name)];
        return Shards.Sum(shard => (double)Math.Max(0, Replicas - Present.GetValueOrDefault(shard.Id, []).Count(usable.Contains)) * Math.Max(1, shard.Bytes));
    }

    /// <summary>Bytes of the replicas that <paramref name="plan"/> puts where they are not.</summary>
    public long Moved(PlacementPlan plan)
    {
        long moved = 0;
        foreach (PlacementShard shard in Shards)
        {
            IReadOnlyList<string> now = Present.GetValueOrDefault(shard.Id, []);
            moved += plan.Assignment[shard.Id].Count(silo => !now.Contains(silo)) * Math.Max(1, shard.Bytes);
        }

        return moved;
    }

    /// <summary>Bytes in each usable silo.</summary>
    public Dictionary<string, long> Loads(IReadOnlyDictionary<ShardId, IReadOnlyList<string>> assignment)
    {
        Dictionary<string, long> loads = Usable.ToDictionary(silo => silo.Name, _ => 0L);
        foreach (PlacementShard shard in Shards)
        {
            foreach (string silo in assignment.GetValueOrDefault(shard.Id, []).Where(loads.ContainsKey))
            {
                loads[silo] += Math.Max(1, shard.Bytes);
            }
        }

        return loads;
    }

    /// <summary>
    /// Load over fair share of each usable silo, least and most, where shares follow capacities: right only where no zone and no silo is so
    /// large that the rules give it less.
    /// </summary>
    public (double Least, double Most) Relative(IReadOnlyDictionary<ShardId, IReadOnlyList<string>> assignment)
    {
        Dictionary<string, long> loads = Loads(assignment);
        double[] relative = [.. Shares().Select(share => loads[share.Key] / share.Value)];
        return (relative.Min(), relative.Max());
    }

    /// <summary>The bytes that each usable silo should have.</summary>
    public Dictionary<string, double> Shares()
    {
        double level = Replicas * TotalBytes / Usable.Sum(silo => (double)silo.CapacityBytes);
        return Usable.ToDictionary(silo => silo.Name, silo => level * silo.CapacityBytes);
    }

    /// <summary>
    /// Bytes that every plan within the tolerance must move: those that have no valid silo any more, those that are too many in full silos,
    /// and those that empty silos lack are three views of the same moves.
    /// </summary>
    public double LeastMove()
    {
        Dictionary<string, long> loads = Loads(Present);
        Dictionary<string, double> shares = Shares();
        double over = shares.Sum(share => Math.Max(0, loads[share.Key] - ((1 + Tolerance) * share.Value)));
        double under = shares.Sum(share => Math.Max(0, ((1 - Tolerance) * share.Value) - loads[share.Key]));
        return Math.Max(Math.Max(over, under), Lost());
    }
}
