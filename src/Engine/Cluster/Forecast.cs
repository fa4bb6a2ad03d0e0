using Signpost.Engine.Shards;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Cluster;

/// <summary>A copy of a shard that is opened somewhere, and as a rule let go somewhere else.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="From">The silo that it leaves then; null where it is one more copy.</param>
/// <param name="To">The silo that opens it.</param>
/// <param name="Bytes">Of its files.</param>
/// <param name="HasBegun">Whether the map names it already.</param>
public sealed record PlannedMove(ShardId Shard, string? From, string To, long Bytes, bool HasBegun);

/// <summary>What a silo holds before and after the moves of a forecast.</summary>
/// <param name="Silo">Its name.</param>
/// <param name="ShardsBefore">Copies that serve or open there.</param>
/// <param name="BytesBefore">Memory that they take.</param>
/// <param name="ShardsAfter">Copies in the end.</param>
/// <param name="BytesAfter">Memory that they take.</param>
/// <param name="FairBytes">Its fair share; 0 where it is to hold nothing.</param>
public sealed record SiloBalance(string Silo, int ShardsBefore, long BytesBefore, int ShardsAfter, long BytesAfter, long FairBytes);

/// <summary>What the leader will do, if nothing else happens: a pure function of what it decides from.</summary>
/// <param name="Moves">All copies that are to be opened, those that have begun among them.</param>
/// <param name="Silos">The silos that are there, by name.</param>
/// <param name="Gaps">Copies for which there is no silo.</param>
/// <param name="MinimumBytes">Fewer bytes of files no plan can move that ends within the tolerance; shards are not divided in this reckoning only.</param>
public sealed record Forecast(
    IReadOnlyList<PlannedMove> Moves, IReadOnlyList<SiloBalance> Silos, IReadOnlyList<PlacementGap> Gaps, long MinimumBytes)
{
    /// <summary>Bytes of files that all moves fetch.</summary>
    public long Bytes => Moves.Sum(move => move.Bytes);

    /// <summary>The forecast.</summary>
    public static Forecast Of(MapInput input)
    {
        IReadOnlyList<ShardCopies> all = MapPlan.CopiesOf(input);
        PlacementPlan plan = MapPlan.Assign(input, all, givesUp: false);
        var moves = new List<PlannedMove>();
        var before = new Dictionary<string, (int Shards, long Bytes)>();
        var after = new Dictionary<string, (int Shards, long Bytes)>();
        double filesPerByte = 0;
        long missing = 0;
        Dictionary<ShardId, ShardCopies> copies = all.ToDictionary(c => c.Shard);
        foreach ((ShardId id, SegmentMemory memory) in MapPlan.MemoryOf(input))
        {
            ShardCopies has = copies[id];
            IReadOnlyList<string> wanted = plan.Assignment[id];
            long files = memory.Resident + memory.VectorsMapped;
            string[] leaving = [.. has.Serving.Except(wanted)];
            string[] coming = [.. wanted.Except(has.Serving)];
            for (int i = 0; i < coming.Length; i++)
            {
                bool hasBegun = has.Opening.Contains(coming[i]) || has.Failed.Contains(coming[i]);
                moves.Add(new PlannedMove(id, i < leaving.Length ? leaving[i] : null, coming[i], files, hasBegun));
            }

            Count(before, has.Serving, memory.Resident);
            Count(after, wanted, memory.Resident);
            filesPerByte = Math.Max(filesPerByte, (double)files / Math.Max(1, memory.Resident));
            missing += Math.Max(0, coming.Length - leaving.Length) * files;
        }

        IReadOnlyDictionary<string, double> shares = FairSharesOf(input);
        SiloBalance[] silos =
        [
            .. input.Members.Select(member => member.Silo.Name).Order(StringComparer.Ordinal).Select(silo =>
            {
                (int shards, long bytes) = before.GetValueOrDefault(silo);
                (int shardsAfter, long bytesAfter) = after.GetValueOrDefault(silo);
                return new SiloBalance(silo, shards, bytes, shardsAfter, bytesAfter, (long)shares.GetValueOrDefault(silo));
            }),
        ];
        return new Forecast(moves, silos, plan.Gaps, missing + (long)(filesPerByte * LeastBytes(silos, input.Tolerance)));
    }

    /// <summary>Memory of the copies that must change their silo: what is above the edge of the tolerance, or what lacks below it, whichever is more.</summary>
    private static double LeastBytes(SiloBalance[] silos, double tolerance) => Math.Max(
        silos.Sum(silo => Math.Max(0, silo.BytesBefore - ((1 + tolerance) * silo.FairBytes))),
        silos.Sum(silo => Math.Min(silo.BytesAfter, Math.Max(0, ((1 - tolerance) * silo.FairBytes) - silo.BytesBefore))));

    private static IReadOnlyDictionary<string, double> FairSharesOf(MapInput input)
    {
        PlacementShard[] shards = [.. MapPlan.MemoryOf(input).Select(shard => new PlacementShard(shard.Shard, shard.Memory.Resident))];
        return new PlacementTable(MapPlan.SilosOf(input), shards, input.Replicas).Shares();
    }

    private static void Count(Dictionary<string, (int Shards, long Bytes)> held, IEnumerable<string> silos, long bytes)
    {
        foreach (string silo in silos)
        {
            (int shards, long sum) = held.GetValueOrDefault(silo);
            held[silo] = (shards + 1, sum + bytes);
        }
    }
}
