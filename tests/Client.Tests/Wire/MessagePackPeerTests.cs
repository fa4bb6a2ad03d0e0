using System.Buffers;
using Signpost.Client.Wire;

namespace Signpost.Client.Tests.Wire;

/// <summary>Python's msgpack reads what is written here, and what it writes is read here.</summary>
public class MessagePackPeerTests
{
    [MessagePackPeerFact]
    public void Python_reads_every_value_and_writes_it_with_the_same_bytes()
    {
        byte[] values = Written(writer =>
        {
            long[] edges = [0, 127, 128, 255, 256, 65_535, 65_536, uint.MaxValue, uint.MaxValue + 1L, long.MaxValue, -1, -32, -33, -128, -129, -32_768, -32_769, int.MinValue, long.MinValue];
            int[] lengths = [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536];
            writer.WriteArrayHeader(5);
            writer.WriteArrayHeader(edges.Length + 1);
            Array.ForEach(edges, writer.Write);
            writer.Write(ulong.MaxValue);
            writer.WriteArrayHeader(2 * lengths.Length);
            foreach (int length in lengths)
            {
                writer.Write(new string('x', length));
                writer.Write(new byte[length]);
            }

            writer.WriteArrayHeader(lengths.Length);
            foreach (int length in lengths)
            {
                writer.WriteArrayHeader(length);
                for (int i = 0; i < length; i++)
                {
                    writer.WriteNil();
                }
            }

            writer.WriteArrayHeader(lengths.Length);
            foreach (int length in lengths)
            {
                writer.WriteMapHeader(length);
                for (int i = 0; i < length; i++)
                {
                    writer.Write((long)i);
                    writer.Write(i % 2 == 0);
                }
            }

            writer.Write("ä𝄞");
        });
        Assert.Equal(values, MessagePackPeer.Run(values, "copy", "double"));
    }

    [MessagePackPeerFact]
    public void Python_reads_floats_of_both_widths()
    {
        float[] edges = [0, -0f, 1.5f, float.Epsilon, float.MaxValue, float.NegativeInfinity];
        byte[] singles = Written(writer =>
        {
            writer.WriteArrayHeader(edges.Length);
            Array.ForEach(edges, writer.Write);
        });
        byte[] doubles = Written(writer =>
        {
            writer.WriteArrayHeader(edges.Length);
            Array.ForEach(edges, edge => writer.Write((double)edge));
        });
        Assert.Equal(singles, MessagePackPeer.Run(singles, "copy", "single"));
        Assert.Equal(doubles, MessagePackPeer.Run(doubles, "copy", "double"));
        Assert.Equal(doubles, MessagePackPeer.Run(singles, "copy", "double"));
    }

    [MessagePackPeerFact]
    public void What_python_makes_is_read_and_written_with_the_same_bytes()
    {
        byte[] made = MessagePackPeer.Run([], "make", "5");
        Assert.True(made.Length > 100_000);
        Assert.Equal(made, Written(writer =>
        {
            var reader = new MessagePackReader(made);
            Copy(ref reader, writer);
            Assert.True(reader.IsAtEnd);
        }));
    }

    private static void Copy(ref MessagePackReader reader, MessagePackWriter writer)
    {
        switch (reader.Next)
        {
            case MessagePackKind.Nil:
                Assert.True(reader.TryReadNil());
                writer.WriteNil();
                break;
            case MessagePackKind.Boolean:
                writer.Write(reader.ReadBoolean());
                break;
            case MessagePackKind.Integer:
                CopyInteger(ref reader, writer);
                break;
            case MessagePackKind.Float:
                writer.Write(reader.ReadDouble());
                break;
            case MessagePackKind.String:
                writer.Write(reader.ReadString());
                break;
            case MessagePackKind.Binary:
                writer.Write(reader.ReadBinary());
                break;
            case MessagePackKind.Array:
                int count = reader.ReadArrayHeader();
                writer.WriteArrayHeader(count);
                CopyMany(ref reader, writer, count);
                break;
            case MessagePackKind.Map:
                int pairs = reader.ReadMapHeader();
                writer.WriteMapHeader(pairs);
                CopyMany(ref reader, writer, 2 * pairs);
                break;
            default:
                Assert.Fail($"{reader.Next}");
                break;
        }
    }

    private static void CopyInteger(ref MessagePackReader reader, MessagePackWriter writer)
    {
        MessagePackReader ahead = reader;
        try
        {
            writer.Write(reader.ReadUInt64());
        }
        catch (MessagePackException)
        {
            reader = ahead;
            writer.Write(reader.ReadInt64());
        }
    }

    private static void CopyMany(ref MessagePackReader reader, MessagePackWriter writer, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Copy(ref reader, writer);
        }
    }

    private static byte[] Written(Action<MessagePackWriter> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(new MessagePackWriter(output));
        return output.WrittenSpan.ToArray();
    }
}
