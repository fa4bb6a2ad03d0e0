using System.Buffers;
using Signpost.Client.Wire;
using Signpost.Engine.Cluster;

namespace Signpost.Grains.Wire;

/// <summary>
/// Placement. A step's answer: the names of the collections whose map was written. A map's request: name of the collection; its answer: the
/// map (<see cref="ShardMapCodec"/>) or nil.
/// </summary>
internal static class PlacementCodec
{
    public static byte[] WriteStepped(IReadOnlyList<ShardMap> written)
    {
        var output = new ArrayBufferWriter<byte>();
        MessagePackWriter writer = Message.Begin(output, values: 1);
        writer.WriteArrayHeader(written.Count);
        foreach (ShardMap map in written)
        {
            writer.Write(map.Collection);
        }

        return output.WrittenSpan.ToArray();
    }

    public static string[] ReadStepped(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.Open(message, values: 1);
        var collections = new string[reader.ReadArrayHeader()];
        for (int i = 0; i < collections.Length; i++)
        {
            collections[i] = reader.ReadString();
        }

        Message.End(reader);
        return collections;
    }

    public static byte[] WriteMapRequest(string collection)
    {
        var output = new ArrayBufferWriter<byte>();
        Message.Begin(output, values: 1).Write(collection);
        return output.WrittenSpan.ToArray();
    }

    public static string ReadMapRequest(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.Open(message, values: 1);
        string collection = reader.ReadString();
        Message.End(reader);
        return collection;
    }

    public static byte[] WriteMap(ShardMap? map)
    {
        var output = new ArrayBufferWriter<byte>();
        MessagePackWriter writer = Message.Begin(output, values: 1);
        if (map is null)
        {
            writer.WriteNil();
        }
        else
        {
            writer.Write(ShardMapCodec.Encode(map));
        }

        return output.WrittenSpan.ToArray();
    }

    public static ShardMap? ReadMap(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.Open(message, values: 1);
        ShardMap? map = reader.TryReadNil() ? null : ShardMapCodec.Decode(reader.ReadBinary(), "a map between silos");
        Message.End(reader);
        return map;
    }
}
