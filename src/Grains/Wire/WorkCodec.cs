using Signpost.Client.Wire;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;

namespace Signpost.Grains.Wire;

/// <summary>
/// What each shard did: nil where nobody wanted to know; else number, microseconds, hops, distance computations, reranked and deadline reached
/// of each, one after the other.
/// </summary>
internal static class WorkCodec
{
    private const int ValuesOfShard = 6;

    public static void Write(MessagePackWriter writer, IReadOnlyList<ShardWork>? work)
    {
        if (work is null)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(work.Count * ValuesOfShard);
        foreach (ShardWork shard in work)
        {
            writer.Write(shard.Shard);
            writer.Write((long)shard.Took.TotalMicroseconds);
            writer.Write(shard.Stats.Hops);
            writer.Write(shard.Stats.DistanceComputations);
            writer.Write(shard.Stats.Reranked);
            writer.Write(shard.Stats.DeadlineReached);
        }
    }

    public static IReadOnlyList<ShardWork>? Read(ref MessagePackReader reader)
    {
        if (reader.TryReadNil())
        {
            return null;
        }

        int start = reader.Offset;
        int values = reader.ReadArrayHeader();
        if (values % ValuesOfShard != 0 || values / ValuesOfShard > Slots.Count)
        {
            throw new MessagePackException(start, $"{values} values", $"{ValuesOfShard} for each shard");
        }

        var work = new ShardWork[values / ValuesOfShard];
        for (int i = 0; i < work.Length; i++)
        {
            int number = Message.ReadCount(ref reader);
            long microseconds = Math.Min(reader.ReadInt64(min: 0), (long)TimeSpan.MaxValue.TotalMicroseconds / 2);
            var stats = new SearchStats
            {
                Hops = reader.ReadInt64(min: 0),
                DistanceComputations = reader.ReadInt64(min: 0),
                Reranked = reader.ReadInt64(min: 0),
                DeadlineReached = reader.ReadBoolean(),
            };
            work[i] = new ShardWork(number, TimeSpan.FromMicroseconds(microseconds), stats);
        }

        return work;
    }
}
