using Signpost.Engine.Base;

namespace Signpost.Engine.Cluster;

/// <summary>A silo that may hold shards.</summary>
/// <param name="Name">Its name, of which there is one.</param>
/// <param name="Zone">What it shares its fate with, for example a rack; silos that say nothing (an empty zone) share theirs.</param>
/// <param name="CapacityBytes">Bytes that its shards may take. One of 0 or less holds nothing.</param>
/// <param name="IsLeaving">Whether its shards are to be elsewhere.</param>
public sealed record PlacementSilo(string Name, string Zone, long CapacityBytes, bool IsLeaving);

/// <summary>A shard that is to be placed.</summary>
/// <param name="Id">The shard.</param>
/// <param name="Bytes">Bytes that a replica takes; one of none counts as one byte.</param>
/// <param name="Stays">Whether it stays where it is, and gets no more replicas: it takes room, and will soon be gone.</param>
/// <param name="IsArriving">Whether a replica is on its way: until it is there the shard is not moved for balance.</param>
public sealed record PlacementShard(ShardId Id, long Bytes, bool Stays = false, bool IsArriving = false);

/// <summary>Replicas that are in no silo.</summary>
/// <param name="Shard">Their shard.</param>
/// <param name="Missing">How many.</param>
/// <param name="Reason">What would be needed, and what there is.</param>
public sealed record PlacementGap(ShardId Shard, int Missing, string Reason);

/// <summary>Which silos are to hold which shards.</summary>
/// <param name="Assignment">For every shard the names of its silos: those that hold it now first, in their order.</param>
/// <param name="Gaps">What could not be placed; empty where all is.</param>
public sealed record PlacementPlan(IReadOnlyDictionary<ShardId, IReadOnlyList<string>> Assignment, IReadOnlyList<PlacementGap> Gaps);

/// <summary>Decides which silos hold which shards: a function of its arguments alone, whatever their order.</summary>
/// <remarks>
/// The rules, the earlier before the later:
/// <list type="number">
/// <item>A replica stays where it is while its silo is there and not leaving. Of more than are wanted the newest stay, which came in the
/// place of others, and of the older ones those that share no zone and whose silos are the emptiest.</item>
/// <item>No silo holds a shard twice, or more bytes than its capacity.</item>
/// <item>Every shard gets its first replica before any gets its second, and so on.</item>
/// <item>A zone holds ceil(replicas / zones) replicas of a shard at most: one, where there are zones enough. Where only a silo of a
/// taken zone has room, a second copy there is better than none.</item>
/// <item>The load of a silo is near its fair share: within <c>tolerance</c> of it, or within the largest shard where that is more. Precisely,
/// with d = max(tolerance, largest shard / smallest share), load / share is in [1 - d, 1 + d], where the rules above leave a choice. The
/// fair share follows the capacity, but no silo's is more than every shard once, and no zone's more than rule 4 lets it have.</item>
/// <item>Nothing moves for balance within the tolerance; beyond it no more than brings the silo back to its edge. So a silo that is added gets
/// about its share, from all; of one that is gone its shards move, and nothing else.</item>
/// </list>
/// Not every packing that exists is found: finding it is NP-hard. Large shards are placed first, each where it leaves the relatively emptiest
/// silo (LPT; Graham 1969), which fails only near full capacity; what fails is told as a gap.
/// </remarks>
public static class Placement
{
    /// <summary>Below it moving costs more than imbalance.</summary>
    public const double DefaultTolerance = 0.1;

    /// <summary>The plan.</summary>
    /// <param name="silos">The silos that are there; no name twice.</param>
    /// <param name="shards">The shards; no id twice.</param>
    /// <param name="replicas">Replicas wanted of each, at least 1.</param>
    /// <param name="present">The silos that hold each shard now, the newest last; names that are unknown count for nothing, and a shard may be missing.</param>
    /// <param name="tolerance">Share by which a load may differ from the fair one before something moves, above 0.</param>
    public static PlacementPlan Plan(
        IReadOnlyList<PlacementSilo> silos, IReadOnlyList<PlacementShard> shards, int replicas,
        IReadOnlyDictionary<ShardId, IReadOnlyList<string>> present, double tolerance = DefaultTolerance)
    {
        Check.That(replicas >= 1 && tolerance > 0);
        var table = new PlacementTable(silos, shards, replicas);
        for (int shard = 0; shard < table.Shards; shard++)
        {
            table.Keep(shard, present.GetValueOrDefault(table.IdOf(shard)) ?? []);
        }

        table.DropSurplus();
        table.DropOverload();

        // Each makes room for the others. A pass that changes anything leaves fewer gaps, or as many and fewer crowded zones, or as many of
        // both and a better balance: so it ends, and a plan made from a plan is the same, unless there were more replicas than are wanted.
        var balance = new PlacementBalance(table, tolerance);
        while (Fill(table) | SpreadOverZones(table) | balance.Run())
        {
        }

        return new PlacementPlan(table.Assignment(), Gaps(table, replicas));
    }

    /// <summary>The order in which ids are looked at where nothing else decides.</summary>
    internal static int Compare(ShardId a, ShardId b)
    {
        int order = string.CompareOrdinal(a.Collection, b.Collection);
        return order != 0 ? order : a.Number.CompareTo(b.Number);
    }

    /// <summary>Gives each shard the replicas that it lacks, those of the fewest first; whether it gave any.</summary>
    private static bool Fill(PlacementTable table)
    {
        bool hasGiven = false;
        for (int copies = 0; copies < table.Replicas; copies++)
        {
            for (int shard = 0; shard < table.Shards; shard++)
            {
                if (table.HoldersOf(shard).Count != copies || table.Stays(shard))
                {
                    continue;
                }

                int silo = table.EmptiestFor(shard);
                silo = silo >= 0 ? silo : table.EmptiestFor(shard, anyZone: true);
                if (silo >= 0)
                {
                    table.Add(shard, silo);
                    hasGiven = true;
                }
            }
        }

        return hasGiven;
    }

    /// <summary>Moves replicas out of zones that have more of their shard than they should, where another has room; whether it moved any.</summary>
    private static bool SpreadOverZones(PlacementTable table)
    {
        bool hasMoved = false;
        for (int shard = 0; shard < table.Shards; shard++)
        {
            while (!table.Stays(shard) && table.CrowdedHolder(shard) is { } from && table.EmptiestFor(shard, leaving: from) is var to and >= 0)
            {
                table.Move(shard, from, to);
                hasMoved = true;
            }
        }

        return hasMoved;
    }

    private static List<PlacementGap> Gaps(PlacementTable table, int replicas)
    {
        var gaps = new List<PlacementGap>();
        for (int shard = 0; shard < table.Shards; shard++)
        {
            int copies = table.HoldersOf(shard).Count;
            if (copies < replicas && !table.Stays(shard))
            {
                gaps.Add(new PlacementGap(table.IdOf(shard), replicas - copies, table.WhyNowhere(shard, replicas)));
            }
        }

        gaps.Sort((a, b) => Compare(a.Shard, b.Shard));
        return gaps;
    }
}
