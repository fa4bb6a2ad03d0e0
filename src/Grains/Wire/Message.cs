using System.Buffers;
using Signpost.Client.Wire;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;

namespace Signpost.Grains.Wire;

/// <summary>
/// What all messages begin with. A message is one MessagePack array of positional values, nothing after it: the version, then the values.
/// A request to a silo has the name and epoch of the one that is meant before them.
/// </summary>
internal static class Message
{
    /// <summary>Content type of the bytes.</summary>
    public const string ContentType = "application/msgpack";

    /// <summary>Rises with every change of any message: silos of two versions refuse each other's instead of misreading them.</summary>
    public const int Version = 2;

    private const int Head = 1;
    private const int RequestHead = 3;

    /// <summary>Writes the head of a request to <paramref name="silo"/>; <paramref name="values"/> values follow.</summary>
    public static MessagePackWriter BeginTo(IBufferWriter<byte> output, SiloId silo, int values)
    {
        MessagePackWriter writer = BeginArray(output, RequestHead + values);
        writer.Write(silo.Name);
        writer.Write(silo.Epoch);
        return writer;
    }

    /// <summary>Writes the head of an answer, or of a request to nobody in particular; <paramref name="values"/> values follow.</summary>
    public static MessagePackWriter Begin(IBufferWriter<byte> output, int values) => BeginArray(output, Head + values);

    /// <summary>Reads the head of a message that <see cref="BeginTo"/> began.</summary>
    public static MessagePackReader OpenTo(ReadOnlySpan<byte> message, int values, out SiloId silo)
    {
        MessagePackReader reader = OpenArray(message, RequestHead + values);
        silo = new SiloId(reader.ReadString(), reader.ReadInt64(min: 0));
        return reader;
    }

    /// <summary>Reads the head of a message that <see cref="Begin"/> began.</summary>
    public static MessagePackReader Open(ReadOnlySpan<byte> message, int values) => OpenArray(message, Head + values);

    /// <summary>What <paramref name="read"/> reads of a request; bytes that are none are a <see cref="ProblemException"/>.</summary>
    public static T Parse<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (MessagePackException e)
        {
            throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "message between silos", $"{e.Got} at byte {e.Offset}", e.Expected, "Run the same version of Signpost in all silos."));
        }
    }

    /// <summary>There must be nothing left.</summary>
    public static void End(in MessagePackReader reader)
    {
        if (!reader.IsAtEnd)
        {
            throw new MessagePackException(reader.Offset, "more bytes", "the end of the message");
        }
    }

    /// <summary>An array must have <paramref name="count"/> values.</summary>
    public static void ReadArray(ref MessagePackReader reader, int count)
    {
        int start = reader.Offset;
        if (reader.ReadArrayHeader() is var found && found != count)
        {
            throw new MessagePackException(start, $"{found} values", $"{count}");
        }
    }

    /// <summary>A shard's number and slots, and other counts: an integer that is not negative.</summary>
    public static int ReadCount(ref MessagePackReader reader, int max = int.MaxValue) => reader.ReadInt32(0, max);

    /// <summary>Reads one of the values of an enumeration that has all of 0 .. n.</summary>
    public static TEnum ReadEnum<TEnum>(ref MessagePackReader reader)
        where TEnum : struct, Enum
    {
        int value = reader.ReadInt32(0, Enum.GetValues<TEnum>().Length - 1);
        return (TEnum)Enum.ToObject(typeof(TEnum), value);
    }

    private static MessagePackWriter BeginArray(IBufferWriter<byte> output, int values)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(values);
        writer.Write(Version);
        return writer;
    }

    private static MessagePackReader OpenArray(ReadOnlySpan<byte> message, int values)
    {
        var reader = new MessagePackReader(message);
        int found = reader.ReadArrayHeader();
        long version = reader.ReadInt64();
        if (version != Version)
        {
            throw new ProblemException(new Problem(
                ProblemCode.UnsupportedVersion, "message between silos", $"version {version}", $"version {Version}", "Run the same version of Signpost in all silos."));
        }

        return found == values ? reader : throw new MessagePackException(0, $"{found} values", $"{values}");
    }
}
