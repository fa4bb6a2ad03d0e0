using Signpost.Client.Wire;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;

namespace Signpost.Grains.Wire;

/// <summary>
/// What a search found, as six values: hits (a byte block of <see cref="PackedHit"/>), hops, distance computations, reranked, deadline
/// reached, missing (nil, or number and reason of each shard, one after the other).
/// </summary>
internal static class FoundCodec
{
    /// <summary>Values that it takes in an array.</summary>
    public const int Values = 6;

    public static void Write(MessagePackWriter writer, ReadOnlySpan<Hit> hits, in SearchStats stats, IReadOnlyList<MissingShard>? missing)
    {
        Span<byte> block = writer.WriteBinary(hits.Length * PackedHit.Bytes);
        for (int i = 0; i < hits.Length; i++)
        {
            PackedHit.Write(block, i, hits[i].Id, hits[i].Distance);
        }

        writer.Write(stats.Hops);
        writer.Write(stats.DistanceComputations);
        writer.Write(stats.Reranked);
        writer.Write(stats.DeadlineReached);
        if (missing is null)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(missing.Count * 2);
        foreach (MissingShard shard in missing)
        {
            writer.Write(shard.Shard.Number);
            writer.Write(shard.Reason);
        }
    }

    /// <summary>Reads what a search of <paramref name="collection"/> for <paramref name="k"/> hits found.</summary>
    public static (Hit[] Hits, SearchStats Stats, MissingShard[]? Missing) Read(ref MessagePackReader reader, string collection, int k)
    {
        Hit[] hits = ReadHits(ref reader, k);
        var stats = new SearchStats
        {
            Hops = reader.ReadInt64(min: 0),
            DistanceComputations = reader.ReadInt64(min: 0),
            Reranked = reader.ReadInt64(min: 0),
            DeadlineReached = reader.ReadBoolean(),
        };
        return (hits, stats, ReadMissing(ref reader, collection));
    }

    /// <summary>Hits in the order that whoever merges them relies on.</summary>
    private static Hit[] ReadHits(ref MessagePackReader reader, int k)
    {
        int start = reader.Offset;
        ReadOnlySpan<byte> block = reader.ReadBinary();
        if (block.Length % PackedHit.Bytes != 0 || block.Length / PackedHit.Bytes > Math.Max(0, k))
        {
            throw new MessagePackException(start, $"{block.Length} bytes of hits", $"{PackedHit.Bytes} for each of at most {k}");
        }

        var hits = new Hit[block.Length / PackedHit.Bytes];
        for (int i = 0; i < hits.Length; i++)
        {
            (ulong id, float distance) = PackedHit.Read(block, i);
            hits[i] = new Hit(id, distance);
            if (i > 0 && hits[i].CompareTo(hits[i - 1]) <= 0)
            {
                throw new MessagePackException(start, $"{hits[i]} after {hits[i - 1]}", "hits that ascend");
            }
        }

        return hits;
    }

    private static MissingShard[]? ReadMissing(ref MessagePackReader reader, string collection)
    {
        if (reader.TryReadNil())
        {
            return null;
        }

        int start = reader.Offset;
        int values = reader.ReadArrayHeader();
        if (values % 2 != 0)
        {
            throw new MessagePackException(start, $"{values} values", "a number and a reason for each shard");
        }

        var missing = new MissingShard[values / 2];
        for (int i = 0; i < missing.Length; i++)
        {
            missing[i] = new MissingShard(new ShardId(collection, Message.ReadCount(ref reader)), reader.ReadString());
        }

        return missing;
    }
}
