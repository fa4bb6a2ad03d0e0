using System.Buffers;
using Signpost.Client.Wire;
using Signpost.Engine.Cluster;

namespace Signpost.Grains.Wire;

/// <summary>A shard as two values, collection and number, and the messages that hold nothing else or nothing at all.</summary>
internal static class ShardCodec
{
    public static void Write(MessagePackWriter writer, ShardId shard)
    {
        writer.Write(shard.Collection);
        writer.Write(shard.Number);
    }

    public static ShardId Read(ref MessagePackReader reader) => new(reader.ReadString(), Message.ReadCount(ref reader));

    /// <summary>A request that names a replica.</summary>
    public static byte[] WriteRequest(ReplicaId replica)
    {
        var output = new ArrayBufferWriter<byte>();
        Write(Message.BeginTo(output, replica.Silo, values: 2), replica.Shard);
        return output.WrittenSpan.ToArray();
    }

    public static ReplicaId ReadRequest(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.OpenTo(message, values: 2, out SiloId silo);
        ShardId shard = Read(ref reader);
        Message.End(reader);
        return new ReplicaId(shard, silo);
    }

    /// <summary>An answer that says only that it was done.</summary>
    public static byte[] WriteDone()
    {
        var output = new ArrayBufferWriter<byte>();
        Message.Begin(output, values: 0);
        return output.WrittenSpan.ToArray();
    }

    public static bool ReadDone(byte[] message)
    {
        Message.End(Message.Open(message, values: 0));
        return true;
    }
}
