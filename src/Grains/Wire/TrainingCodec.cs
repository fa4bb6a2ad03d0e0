using System.Buffers;
using System.Text.Json;
using Signpost.Client.Wire;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;

namespace Signpost.Grains.Wire;

/// <summary>
/// Trainings. Start: collection, order (JSON: there are many settings, and they change). Stop: collection. The answer of both: problem or nil, the
/// training as JSON or nil. What is known: the trainings, each as JSON.
/// </summary>
internal static class TrainingCodec
{
    /// <summary>Collections whose trainings a message may tell.</summary>
    private const int MostKnown = 1 << 20;

    public static byte[] WriteStart(string collection, TrainingOrder order)
    {
        var output = new ArrayBufferWriter<byte>();
        MessagePackWriter writer = Message.Begin(output, values: 2);
        writer.Write(collection);
        writer.Write(order.Write());
        return output.WrittenSpan.ToArray();
    }

    public static (string Collection, TrainingOrder Order) ReadStart(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.Open(message, values: 2);
        string collection = reader.ReadString();
        ReadOnlySpan<byte> json = reader.ReadBinary();
        int start = reader.Offset - json.Length;
        Message.End(reader);
        try
        {
            return (collection, TrainingOrder.Read(json));
        }
        catch (JsonException e)
        {
            throw new MessagePackException(start, e.Message, "a training as JSON");
        }
    }

    public static byte[] WriteStop(string collection)
    {
        var output = new ArrayBufferWriter<byte>();
        Message.Begin(output, values: 1).Write(collection);
        return output.WrittenSpan.ToArray();
    }

    public static string ReadStop(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.Open(message, values: 1);
        string collection = reader.ReadString();
        Message.End(reader);
        return collection;
    }

    public static byte[] WriteAnswer(in Outcome<TrainingRecord> outcome)
    {
        var output = new ArrayBufferWriter<byte>();
        MessagePackWriter writer = Message.Begin(output, values: 2);
        ProblemCodec.Write(writer, outcome.Problem);
        if (outcome.Problem is null)
        {
            writer.Write(outcome.Value!.Write());
        }
        else
        {
            writer.WriteNil();
        }

        return output.WrittenSpan.ToArray();
    }

    public static Outcome<TrainingRecord> ReadAnswer(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.Open(message, values: 2);
        Problem? problem = ProblemCodec.Read(ref reader);
        TrainingRecord? record = reader.TryReadNil() ? null : ReadRecord(ref reader);
        Message.End(reader);
        return problem is null != record is null
            ? new Outcome<TrainingRecord>(record, problem)
            : throw new MessagePackException(reader.Offset, "both or none", "either a training or a problem");
    }

    public static byte[] WriteKnown(IReadOnlyList<TrainingRecord> known)
    {
        var output = new ArrayBufferWriter<byte>();
        MessagePackWriter writer = Message.Begin(output, values: 1);
        writer.WriteArrayHeader(known.Count);
        foreach (TrainingRecord record in known)
        {
            writer.Write(record.Write());
        }

        return output.WrittenSpan.ToArray();
    }

    public static IReadOnlyList<TrainingRecord> ReadKnown(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.Open(message, values: 1);
        int start = reader.Offset;
        int count = reader.ReadArrayHeader();
        if (count > MostKnown)
        {
            throw new MessagePackException(start, $"{count} trainings", $"at most {MostKnown}");
        }

        var known = new List<TrainingRecord>();
        for (int i = 0; i < count; i++)
        {
            known.Add(ReadRecord(ref reader));
        }

        Message.End(reader);
        return known;
    }

    private static TrainingRecord ReadRecord(ref MessagePackReader reader)
    {
        int start = reader.Offset;
        return TrainingRecord.Read(reader.ReadBinary()) ?? throw new MessagePackException(start, "JSON of another kind", "a training as JSON");
    }
}
