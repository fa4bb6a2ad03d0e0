using System.Buffers.Binary;

namespace Signpost.Client.Wire;

/// <summary>Names in a search's request and answer as MessagePack; docs/http.md says what they mean.</summary>
internal static class SearchFields
{
    public const string ContentType = "application/msgpack";

    public const string Vectors = "vectors";
    public const string Dim = "dim";
    public const string ElementType = "element_type";
    public const string K = "k";
    public const string L = "l";
    public const string Mode = "mode";
    public const string Rerank = "rerank";
    public const string TimeoutMs = "timeout_ms";
    public const string Require = "require";
    public const string Full = "full";
    public const string Partial = "partial";

    public const string Results = "results";
    public const string TookMs = "took_ms";
    public const string Status = "status";
    public const string Ok = "ok";
    public const string Hits = "hits";

    public const string Coverage = "coverage";
    public const string ShardsAnswered = "shards_answered";
    public const string Shards = "shards";
    public const string VectorsAnswered = "vectors_answered";

    public const string Missing = "missing";
    public const string Shard = "shard";
    public const string Reason = "reason";

    public const string Stats = "stats";
    public const string Hops = "hops";
    public const string DistanceComputations = "distance_computations";
    public const string Reranked = "reranked";
    public const string DeadlineReached = "deadline_reached";

    public const string Problem = "problem";
    public const string Type = "type";
    public const string Title = "title";
    public const string Detail = "detail";
    public const string Code = "code";
    public const string Got = "got";
    public const string Expected = "expected";
    public const string Mend = "mend";
}

/// <summary>A hit as it stands in the byte block "hits": u64 id, f32 distance, little-endian, without a gap.</summary>
internal static class PackedHit
{
    public const int Bytes = sizeof(ulong) + sizeof(float);

    /// <summary>Writes the hit with number <paramref name="index"/> of <paramref name="block"/>.</summary>
    public static void Write(Span<byte> block, int index, ulong id, float distance)
    {
        Span<byte> place = block.Slice(index * Bytes, Bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(place, id);
        BinaryPrimitives.WriteSingleLittleEndian(place[sizeof(ulong)..], distance);
    }

    /// <summary>Reads it.</summary>
    public static (ulong Id, float Distance) Read(ReadOnlySpan<byte> block, int index)
    {
        ReadOnlySpan<byte> place = block.Slice(index * Bytes, Bytes);
        return (BinaryPrimitives.ReadUInt64LittleEndian(place), BinaryPrimitives.ReadSingleLittleEndian(place[sizeof(ulong)..]));
    }
}
