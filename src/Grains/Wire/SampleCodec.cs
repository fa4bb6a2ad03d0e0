using System.Buffers;
using Signpost.Client.Wire;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Vectors;

namespace Signpost.Grains.Wire;

/// <summary>A sample of a shard. Request: collection, shard, count, seed. Answer: count, dim, element type, rows as one byte block.</summary>
internal static class SampleCodec
{
    private const int MaxDim = 65_536;

    public static byte[] WriteRequest(ReplicaId replica, int count, ulong seed)
    {
        var output = new ArrayBufferWriter<byte>();
        MessagePackWriter writer = Message.BeginTo(output, replica.Silo, values: 4);
        ShardCodec.Write(writer, replica.Shard);
        writer.Write(count);
        writer.Write(seed);
        return output.WrittenSpan.ToArray();
    }

    public static (ReplicaId Replica, int Count, ulong Seed) ReadRequest(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.OpenTo(message, values: 4, out SiloId silo);
        ShardId shard = ShardCodec.Read(ref reader);
        int count = Message.ReadCount(ref reader);
        ulong seed = reader.ReadUInt64();
        Message.End(reader);
        return (new ReplicaId(shard, silo), count, seed);
    }

    public static byte[] WriteAnswer(VectorBlock sample, WireLimits limits)
    {
        long bytes = sample.Count * sample.RowBytes;
        if (bytes > limits.ControlAnswerBytes - 64)
        {
            throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "sample", $"{bytes} bytes", $"at most {limits.ControlAnswerBytes}", "Train with fewer vectors."));
        }

        var output = new ArrayBufferWriter<byte>((int)bytes + 64);
        MessagePackWriter writer = Message.Begin(output, values: 4);
        writer.Write(sample.Count);
        writer.Write(sample.Dim);
        writer.Write((int)sample.Type);
        Span<byte> block = writer.WriteBinary((int)bytes);
        for (int row = 0; row < sample.Count; row++)
        {
            sample.RowSpan(row).CopyTo(block[(row * sample.RowBytes)..]);
        }

        return output.WrittenSpan.ToArray();
    }

    public static unsafe VectorBlock ReadAnswer(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.Open(message, values: 4);
        int count = Message.ReadCount(ref reader);
        int dim = reader.ReadInt32(1, MaxDim);
        ElementType type = Message.ReadEnum<ElementType>(ref reader);
        ReadOnlySpan<byte> rows = reader.ReadBinary();
        Message.End(reader);
        if (rows.Length != (long)count * dim * type.Bytes())
        {
            throw new MessagePackException(reader.Offset - rows.Length, $"{rows.Length} bytes", $"{count} rows of {dim} components of {type}");
        }

        VectorBlock sample = VectorBlock.Allocate(count, dim, type);
        rows.CopyTo(new Span<byte>(sample.First, rows.Length));
        return sample;
    }
}
