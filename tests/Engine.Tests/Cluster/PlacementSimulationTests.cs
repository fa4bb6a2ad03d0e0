using Signpost.Engine.Base;
using Signpost.Engine.Cluster;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>A cluster of 1,000 silos with two replicas of 100,000 shards, and what happens to it.</summary>
public class PlacementSimulationTests
{
    private const int Silos = 1000;
    private const int Shards = 100_000;
    private const int Zones = 10;

    /// <summary>Movement beside the least that any plan within the tolerance needs.</summary>
    private const double MostOverhead = 1.1;

    private static readonly PlacementWorld Start = Make();

    [Fact]
    public void Balance_and_movement_are_near_the_optimum_at_a_thousand_silos()
    {
        PlacementPlan first = Start.Plan();
        AssertSound(Start, first);
        Assert.InRange(Start.Relative(first.Assignment).Most, 1, 1.01);
        PlacementWorld world = Start.After(first);
        Assert.Equal(0, world.Moved(world.Plan()));

        PlacementSilo[] more = [.. Start.Silos.Take(100).Select(silo => silo with { Name = "new " + silo.Name })];
        AssertNearOptimum(world with { Silos = [.. world.Silos, more[0]] });
        AssertNearOptimum(world with { Silos = [.. world.Silos, .. more] });
        AssertNearOptimum(world with { Silos = [.. world.Silos.Skip(1)] });
        AssertNearOptimum(world with { Silos = [.. world.Silos.Where(silo => silo.Zone != "z3")] });
        AssertNearOptimum(world with { Silos = [.. world.Silos.Skip(50), .. more] }); // both at once
    }

    private static void AssertNearOptimum(PlacementWorld world)
    {
        PlacementPlan plan = world.Plan();
        AssertSound(world, plan);
        (double least, double most) = world.Relative(plan.Assignment);
        Assert.InRange(least, 1 - world.Tolerance - 1e-9, 1);
        Assert.InRange(most, 1, 1 + world.Tolerance + 1e-9);
        Assert.InRange(world.Moved(plan), world.LeastMove() * (1 - 1e-9), world.LeastMove() * MostOverhead);
    }

    private static void AssertSound(PlacementWorld world, PlacementPlan plan)
    {
        Dictionary<string, string> zones = world.Usable.ToDictionary(silo => silo.Name, silo => silo.Zone);
        Dictionary<string, long> loads = world.Loads(plan.Assignment);
        Assert.Empty(plan.Gaps);
        Assert.DoesNotContain(plan.Assignment.Values, silos => silos.Count != 2 || zones[silos[0]] == zones[silos[1]]);
        Assert.DoesNotContain(world.Usable, silo => loads[silo.Name] > silo.CapacityBytes);
    }

    /// <summary>Silos of unequal size, shards from a fifth of a megabyte to two.</summary>
    private static PlacementWorld Make()
    {
        var random = new Seeded(1, 0);
        PlacementShard[] shards =
            [.. Enumerable.Range(0, Shards).Select(i => new PlacementShard(new ShardId($"collection {i % 10}", i / 10), 200_000 + random.Next(1_800_000)))];
        double mean = 2.0 * shards.Sum(shard => shard.Bytes) / Silos;
        PlacementSilo[] silos = [.. Enumerable.Range(0, Silos).Select(
            i => new PlacementSilo($"silo {i:D4}", $"z{i % Zones}", (long)(mean * (1.2 + random.NextDouble())), false))];
        return new PlacementWorld(silos, shards, 2);
    }
}
