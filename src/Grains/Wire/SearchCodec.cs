using System.Buffers;
using Signpost.Client.Wire;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Vectors;

namespace Signpost.Grains.Wire;

/// <summary>A search as it arrives at the silo that is asked.</summary>
/// <param name="Collection">Name of the collection.</param>
/// <param name="Shards">Its shards that are wanted, none twice.</param>
/// <param name="Parameters">How to search.</param>
/// <param name="CodesVersion">Number of the training whose codes are used.</param>
/// <param name="Left">Time that is left; null without an end.</param>
/// <param name="Dim">Components of the vector.</param>
/// <param name="Type">Type of a component.</param>
/// <param name="Metric">Metric of the collection.</param>
/// <param name="Row">The vector; as long as dim and type say; a part of the message.</param>
/// <param name="Watch">Who looks at it; null: nobody.</param>
internal sealed record WireSearch(
    string Collection, ShardSlots[] Shards, SearchParameters Parameters, uint CodesVersion, TimeSpan? Left, int Dim, ElementType Type, Metric Metric,
    ReadOnlyMemory<byte> Row, SearchWatch? Watch);

/// <summary>
/// Several searches of one silo in a message: after the head an array of two values for each, the microseconds that are left to it (nil:
/// no end) and an array of collection, shards (number, first slot, end of slots, one after the other), k, l, mode, rerank, codes
/// version, dim, element type, metric, watch (<see cref="WatchCodec"/>), row.
/// </summary>
/// <remarks>
/// A search is written alone, while its query is the caller's to lend, and joined to a message when that is sent: searches that wait for
/// the same silo share a request, and the time that they waited is not given to them again.
/// </remarks>
internal static class SearchCodec
{
    private const int Values = 12;
    private const int ValuesOfSearch = 2;
    private const int ValuesOfShard = 3;
    private const int MaxDim = 65_536;

    /// <summary>Room for all but shards and vector, in a message with one search.</summary>
    private const int HeadBytes = 1024;

    /// <summary>One search as it is sent.</summary>
    /// <exception cref="IOException">It is beyond the limits.</exception>
    public static ReadOnlyMemory<byte> Write(in ShardQuery query, WireLimits limits)
    {
        if (query.Parameters.K > limits.K)
        {
            throw new IOException($"a search for {query.Parameters.K} hits is not sent, at most {limits.K} hits are asked of another silo");
        }

        var output = new ArrayBufferWriter<byte>(HeadBytes + (query.Shards.Length * 16) + (query.Query.Dim * sizeof(float)));
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Values);
        writer.Write(query.Collection);
        writer.WriteArrayHeader(query.Shards.Length * ValuesOfShard);
        foreach (ShardSlots shard in query.Shards.Span)
        {
            writer.Write(shard.Number);
            writer.Write(shard.Slots.From);
            writer.Write(shard.Slots.To);
        }

        ParametersCodec.Write(writer, query.Parameters);
        writer.Write(query.CodesVersion);
        writer.Write(query.Query.Dim);
        writer.Write((int)query.Query.Type);
        writer.Write((int)query.Query.Metric);
        WatchCodec.Write(writer, query.Watch);
        writer.Write(query.Query.RowSpan);
        return output.WrittenCount <= limits.SearchBytes - HeadBytes
            ? output.WrittenMemory
            : throw new IOException($"a search of {output.WrittenCount} bytes is not sent, at most {limits.SearchBytes - HeadBytes} are");
    }

    /// <summary>A message of searches that <see cref="Write"/> has written.</summary>
    public static byte[] Join(SiloId silo, IReadOnlyList<(ReadOnlyMemory<byte> Search, TimeSpan? Left)> searches)
    {
        var output = new ArrayBufferWriter<byte>(HeadBytes + searches.Sum(search => search.Search.Length + 16));
        MessagePackWriter writer = Message.BeginTo(output, silo, values: 1);
        writer.WriteArrayHeader(searches.Count * ValuesOfSearch);
        foreach ((ReadOnlyMemory<byte> search, TimeSpan? left) in searches)
        {
            ParametersCodec.WriteLeft(writer, left);
            output.Write(search.Span);
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads a message of searches.</summary>
    public static (SiloId Silo, WireSearch[] Searches) Read(ReadOnlyMemory<byte> message, WireLimits limits)
    {
        MessagePackReader reader = Message.OpenTo(message.Span, values: 1, out SiloId silo);
        int start = reader.Offset;
        int values = reader.ReadArrayHeader();
        int count = values / ValuesOfSearch;
        if (values % ValuesOfSearch != 0 || count < 1 || count > limits.Searches)
        {
            throw new MessagePackException(start, $"{values} values", $"{ValuesOfSearch} for each of 1 .. {limits.Searches} searches");
        }

        var searches = new WireSearch[count];
        long hits = 0;
        for (int i = 0; i < count; i++)
        {
            start = reader.Offset;
            searches[i] = ReadOne(ref reader, message, limits);
            hits += Math.Max(0, searches[i].Parameters.K);
            if (hits > limits.K)
            {
                throw new MessagePackException(start, $"{hits} hits wanted", $"at most {limits.K} of all searches together");
            }
        }

        Message.End(reader);
        return (silo, searches);
    }

    private static WireSearch ReadOne(ref MessagePackReader reader, ReadOnlyMemory<byte> message, WireLimits limits)
    {
        TimeSpan? left = ParametersCodec.ReadLeft(ref reader);
        Message.ReadArray(ref reader, Values);
        string collection = reader.ReadString();
        ShardSlots[] shards = ReadShards(ref reader);
        SearchParameters parameters = ParametersCodec.Read(ref reader, limits);
        uint version = (uint)reader.ReadInt64(0, uint.MaxValue);
        int dim = reader.ReadInt32(1, MaxDim);
        ElementType type = Message.ReadEnum<ElementType>(ref reader);
        Metric metric = Message.ReadEnum<Metric>(ref reader);
        SearchWatch? watch = WatchCodec.Read(ref reader);
        int length = reader.ReadBinary().Length;
        return length == dim * type.Bytes()
            ? new WireSearch(collection, shards, parameters, version, left, dim, type, metric, message.Slice(reader.Offset - length, length), watch)
            : throw new MessagePackException(reader.Offset - length, $"{length} bytes", $"{dim} components of {type}");
    }

    private static ShardSlots[] ReadShards(ref MessagePackReader reader)
    {
        int start = reader.Offset;
        int values = reader.ReadArrayHeader();
        if (values == 0 || values % ValuesOfShard != 0 || values / ValuesOfShard > Slots.Count)
        {
            throw new MessagePackException(start, $"{values} values of shards", $"{ValuesOfShard} for each of 1 .. {Slots.Count}");
        }

        var shards = new ShardSlots[values / ValuesOfShard];
        var numbers = new HashSet<int>(shards.Length);
        for (int i = 0; i < shards.Length; i++)
        {
            int number = Message.ReadCount(ref reader);
            int from = Message.ReadCount(ref reader, Slots.Count);
            shards[i] = new ShardSlots(number, new SlotRange(from, reader.ReadInt32(from, Slots.Count)));
            if (!numbers.Add(number))
            {
                throw new MessagePackException(start, $"shard {number} twice", "every shard once");
            }
        }

        return shards;
    }
}
