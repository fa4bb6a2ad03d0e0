using FsCheck;
using FsCheck.Fluent;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>What holds in every world, checked dully.</summary>
public class PlacementPropertyTests
{
    private const int Worlds = 200;

    [Fact]
    public void A_shard_is_in_distinct_silos_that_are_there_and_no_silo_has_more_than_its_capacity() => Everywhere((world, plan) =>
    {
        Dictionary<string, long> capacities = world.Usable.ToDictionary(silo => silo.Name, silo => silo.CapacityBytes);
        Assert.Equal(world.Shards.Select(shard => shard.Id).ToHashSet(), plan.Assignment.Keys.ToHashSet());
        Assert.All(plan.Assignment.Values, silos =>
        {
            Assert.Equal(silos.Count, silos.Distinct().Count());
            Assert.InRange(silos.Count, 0, world.Replicas);
            Assert.All(silos, silo => Assert.Contains(silo, capacities.Keys));
        });
        Assert.All(world.Loads(plan.Assignment), load => Assert.InRange(load.Value, 0, capacities[load.Key]));
    });

    [Fact]
    public void A_gap_is_told_for_exactly_what_is_missing_and_there_is_room_for_it_nowhere() => Everywhere((world, plan) =>
    {
        Dictionary<string, long> loads = world.Loads(plan.Assignment);
        Assert.Equal(
            world.Shards.Where(shard => plan.Assignment[shard.Id].Count < world.Replicas).Select(shard => (shard.Id, world.Replicas - plan.Assignment[shard.Id].Count)).ToHashSet(),
            plan.Gaps.Select(gap => (gap.Shard, gap.Missing)).ToHashSet());
        foreach (PlacementGap gap in plan.Gaps)
        {
            long bytes = Math.Max(1, world.Shards.First(shard => shard.Id == gap.Shard).Bytes);
            Assert.All(
                world.Usable.Where(silo => !plan.Assignment[gap.Shard].Contains(silo.Name)),
                silo => Assert.True(loads[silo.Name] + bytes > silo.CapacityBytes, $"{gap} fits into {silo}"));
        }
    });

    [Fact]
    public void A_zone_is_crowded_only_where_no_other_has_room() => Everywhere((world, plan) =>
    {
        int zones = world.Usable.Select(silo => silo.Zone).Distinct().Count();
        int replicas = Math.Min(world.Replicas, world.Usable.Length);
        int limit = zones == 0 ? 0 : (replicas + zones - 1) / zones;
        Dictionary<string, long> loads = world.Loads(plan.Assignment);
        foreach ((ShardId shard, IReadOnlyList<string> silos) in plan.Assignment)
        {
            long bytes = Math.Max(1, world.Shards.First(s => s.Id == shard).Bytes);
            int CopiesIn(string zone) => silos.Count(silo => world.ZoneOf(silo) == zone);
            bool isCrowded = silos.Any(silo => CopiesIn(world.ZoneOf(silo)) > limit);
            bool hasRoom = world.Usable.Any(silo => !silos.Contains(silo.Name) && CopiesIn(silo.Zone) < limit && loads[silo.Name] + bytes <= silo.CapacityBytes);
            Assert.False(isCrowded && hasRoom, $"{shard} in {string.Join(' ', silos)}");
        }
    });

    [Fact]
    public void A_plan_made_from_a_plan_is_the_same_where_no_shard_had_more_replicas_than_are_wanted() => Everywhere((world, first) =>
    {
        PlacementPlan plan = world.After(first).Plan();
        PlacementPlan again = world.After(plan).Plan();
        Assert.True(world.HasSurplus || first.Assignment.All(shard => shard.Value.SequenceEqual(plan.Assignment[shard.Key])));
        Assert.Equal(plan.Assignment, again.Assignment);
        Assert.Equal(plan.Gaps, again.Gaps);
    });

    [Fact]
    public void What_stays_is_neither_moved_nor_copied_and_a_plan_made_from_a_plan_with_it_is_the_same() => Everywhere((world, _) =>
    {
        PlacementWorld mixed = world with { Shards = [.. world.Shards.Select(shard => shard with { Stays = shard.Id.Number % 3 == 0 })] };
        mixed = mixed.HasSurplus ? mixed.After(mixed.Plan()) : mixed;
        PlacementPlan plan = mixed.Plan();
        string[] usable = [.. mixed.Usable.Select(silo => silo.Name)];
        PlacementShard[] staying = [.. mixed.Shards.Where(shard => shard.Stays)];

        Assert.All(staying, shard => Assert.Equal(mixed.Present.GetValueOrDefault(shard.Id, []).Where(usable.Contains), plan.Assignment[shard.Id]));
        Assert.DoesNotContain(plan.Gaps, gap => staying.Any(shard => shard.Id == gap.Shard));
        Assert.Equal(plan.Assignment, mixed.After(plan).Plan().Assignment);
    });

    [Fact]
    public void The_order_of_the_input_changes_nothing() => Everywhere((world, plan) =>
    {
        PlacementWorld shuffled = world with { Silos = [.. world.Silos.Reverse()], Shards = [.. world.Shards.OrderBy(shard => shard.Id.Number % 3)] };
        Assert.Equal(plan.Assignment.OrderBy(entry => $"{entry.Key}"), shuffled.Plan().Assignment.OrderBy(entry => $"{entry.Key}"));
    });

    [Fact]
    public void Without_zones_and_with_room_nothing_moves_but_what_was_lost_or_out_of_balance() => Everywhere((world, _) =>
    {
        PlacementWorld free = Free(world);
        PlacementPlan plan = free.Plan();
        double largest = free.Shards.Max(shard => Math.Max(1, shard.Bytes));
        (double least, double most) = free.Relative(free.Present);

        Assert.Empty(plan.Gaps);
        if (free.Lost() == 0 && least >= 1 - free.Tolerance && most <= 1 + free.Tolerance)
        {
            Assert.Equal(0, free.Moved(plan));
        }

        // Every silo that is mended is mended to within one shard.
        Assert.InRange(free.Moved(plan), 0, free.LeastMove() + (Math.Max(1, free.Usable.Length) * 2 * largest) + 1);
    });

    [Fact]
    public void Without_zones_and_with_room_loads_are_within_the_bound() => Everywhere((world, _) =>
    {
        PlacementWorld free = (Free(world) with { Replicas = 1 }).WithoutSurplus();
        (double least, double most) = free.Relative(free.Plan().Assignment);
        double d = Math.Max(free.Tolerance, free.Shards.Max(shard => Math.Max(1, shard.Bytes)) / free.Shares().Values.Min()) + 1e-9;

        Assert.InRange(most, 0, 1 + d);
        Assert.InRange(least, 1 - d, double.MaxValue);
    });

    [Fact]
    public void From_nothing_the_fullest_silo_is_within_a_third_of_the_best_that_there_is() => Everywhere((world, _) =>
    {
        // Graham's bound of LPT; the best by trying everything.
        PlacementWorld tiny = PlacementWorld.Of(silos: 3, shards: 0, replicas: 1, capacity: 1_000_000) with { Shards = [.. world.Shards.Take(6)] };
        long planned = tiny.Loads(tiny.Plan().Assignment).Values.Max();
        long best = Everything(tiny).Min(assignment => tiny.Loads(assignment).Values.Max());

        Assert.InRange(planned, best, best * 4.0 / 3);
    });

    [Fact]
    public void With_shards_alike_no_plan_that_is_as_balanced_moves_less() => Everywhere((world, _) =>
    {
        PlacementWorld tiny = PlacementWorld.Of(silos: 3, shards: 6, replicas: 1, capacity: 1_000_000);
        string[] names = [.. tiny.Silos.Select(silo => silo.Name)];
        tiny = tiny with { Present = tiny.Shards.ToDictionary(s => s.Id, s => (IReadOnlyList<string>)[names[(world.Shards.Count * 7 + (s.Id.Number * world.Silos.Count)) % 11 % 3]]) };
        PlacementPlan plan = tiny.Plan();
        (double least, double most) = tiny.Relative(plan.Assignment);

        long best = Everything(tiny).Where(other => tiny.Relative(other) is var (low, high) && low >= least && high <= most)
            .Min(other => tiny.Moved(new PlacementPlan(other, [])));
        Assert.Equal(best, tiny.Moved(plan));
    });

    /// <summary>The same silos and shards without zones, in a world that has room for all of them everywhere.</summary>
    private static PlacementWorld Free(PlacementWorld world)
    {
        long room = 10 * (long)(world.Replicas * world.TotalBytes) + 1000;
        PlacementSilo[] silos = [.. world.Silos.Select(silo => silo with { Zone = "", CapacityBytes = room * (2 + (silo.CapacityBytes % 2)), IsLeaving = false })];
        PlacementShard[] shards = world.Shards.Count > 0 ? [.. world.Shards] : [new PlacementShard(new ShardId("docs", 0), 5)];
        int replicas = Math.Min(world.Replicas, Math.Max(1, silos.Length / 3)); // fewer than would let one silo's share be all shards
        return (world with { Silos = silos, Shards = shards, Replicas = replicas }).WithoutSurplus();
    }

    private static IEnumerable<Dictionary<ShardId, IReadOnlyList<string>>> Everything(PlacementWorld world)
    {
        int silos = world.Silos.Count;
        int count = (int)Math.Pow(silos, world.Shards.Count);
        for (int number = 0; number < count; number++)
        {
            int rest = number;
            var assignment = new Dictionary<ShardId, IReadOnlyList<string>>();
            foreach (PlacementShard shard in world.Shards)
            {
                assignment[shard.Id] = [world.Silos[rest % silos].Name];
                rest /= silos;
            }

            yield return assignment;
        }
    }

    private static void Everywhere(Action<PlacementWorld, PlacementPlan> holds) => Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
    {
        PlacementWorld world = PlacementWorld.Random((ulong)seed);
        try
        {
            holds(world, world.Plan());
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"world {seed}: {e.Message}", e);
        }
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(Worlds));
}
