using System.Buffers;
using Signpost.Client.Wire;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;

namespace Signpost.Grains.Wire;

/// <summary>
/// Codes of a shard. Prepare: collection, shard, name of the quantizer's file, threads; its answer: name of the codes' file or nil,
/// problem or nil. Drop: collection, shard, codes version.
/// </summary>
internal static class CodesCodec
{
    public static byte[] WritePrepare(ReplicaId replica, string quantizerFile, int threads)
    {
        var output = new ArrayBufferWriter<byte>();
        MessagePackWriter writer = Message.BeginTo(output, replica.Silo, values: 4);
        ShardCodec.Write(writer, replica.Shard);
        writer.Write(quantizerFile);
        writer.Write(threads);
        return output.WrittenSpan.ToArray();
    }

    public static (ReplicaId Replica, string QuantizerFile, int Threads) ReadPrepare(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.OpenTo(message, values: 4, out SiloId silo);
        ShardId shard = ShardCodec.Read(ref reader);
        int start = reader.Offset;
        string file = reader.ReadString();
        if (file is "" or "." or ".." || file != Path.GetFileName(file))
        {
            throw new MessagePackException(start, $"'{file}'", "the name of a file, without folders");
        }

        int threads = Message.ReadCount(ref reader);
        Message.End(reader);
        return (new ReplicaId(shard, silo), file, threads);
    }

    public static byte[] WritePrepared(in Outcome<string> codesFile)
    {
        var output = new ArrayBufferWriter<byte>();
        MessagePackWriter writer = Message.Begin(output, values: 2);
        if (codesFile.Problem is null)
        {
            writer.Write(codesFile.Value!);
        }
        else
        {
            writer.WriteNil();
        }

        ProblemCodec.Write(writer, codesFile.Problem);
        return output.WrittenSpan.ToArray();
    }

    public static Outcome<string> ReadPrepared(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.Open(message, values: 2);
        string? file = reader.TryReadNil() ? null : reader.ReadString();
        Problem? problem = ProblemCodec.Read(ref reader);
        Message.End(reader);
        return file is null != problem is null
            ? new Outcome<string>(file, problem)
            : throw new MessagePackException(reader.Offset, "both or none", "either a file or a problem");
    }

    public static byte[] WriteDrop(ReplicaId replica, uint codesVersion)
    {
        var output = new ArrayBufferWriter<byte>();
        MessagePackWriter writer = Message.BeginTo(output, replica.Silo, values: 3);
        ShardCodec.Write(writer, replica.Shard);
        writer.Write(codesVersion);
        return output.WrittenSpan.ToArray();
    }

    public static (ReplicaId Replica, uint CodesVersion) ReadDrop(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.OpenTo(message, values: 3, out SiloId silo);
        ShardId shard = ShardCodec.Read(ref reader);
        var version = (uint)reader.ReadInt64(1, uint.MaxValue);
        Message.End(reader);
        return (new ReplicaId(shard, silo), version);
    }
}
