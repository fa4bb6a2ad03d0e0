using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using Signpost.Client.Wire;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Training;

namespace Signpost.Grains.Wire;

/// <summary>What a training did, as far as others need it.</summary>
/// <param name="CodesVersion">Number of the training whose codes are in use now.</param>
/// <param name="Error">Mean squared error of the codes over the sample.</param>
/// <param name="Sampled">Vectors of the sample.</param>
/// <param name="WasDone">Whether nothing was to do.</param>
internal sealed record WireTraining(uint CodesVersion, double Error, long Sampled, bool WasDone);

/// <summary>
/// A training. Request: kind of the quantizer, its settings by name (JSON: there are many, and they change), threads. Answer: problem or
/// nil, codes version, error, vectors sampled, whether nothing was to do.
/// </summary>
internal static class TrainingCodec
{
    private const int RequestValues = 3;
    private const int AnswerValues = 5;

    public static byte[] WriteRequest(QuantizerMethod method, int threads)
    {
        var output = new ArrayBufferWriter<byte>();
        MessagePackWriter writer = Message.Begin(output, RequestValues);
        writer.Write((int)method.Kind);
        writer.Write(method switch
        {
            RpqMethod rpq => JsonSerializer.SerializeToUtf8Bytes(rpq.Options, MethodJson.Default.RpqOptions),
            VectorQuantizerMethod other => JsonSerializer.SerializeToUtf8Bytes(other.Options, MethodJson.Default.QuantizerOptions),
            _ => throw new ArgumentOutOfRangeException(nameof(method), method, "unknown method"),
        });
        writer.Write(threads);
        return output.WrittenSpan.ToArray();
    }

    public static (QuantizerMethod Method, int Threads) ReadRequest(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.Open(message, RequestValues);
        var kind = (QuantizerKind)reader.ReadInt32((int)QuantizerKind.Pq, (int)QuantizerKind.Rpq);
        QuantizerMethod method = ReadMethod(kind, reader.ReadBinary(), reader.Offset);
        int threads = Message.ReadCount(ref reader);
        Message.End(reader);
        return (method, threads);
    }

    public static byte[] WriteAnswer(in Outcome<TrainingResult> outcome)
    {
        TrainingResult? result = outcome.Value;
        var output = new ArrayBufferWriter<byte>();
        MessagePackWriter writer = Message.Begin(output, AnswerValues);
        ProblemCodec.Write(writer, outcome.Problem);
        writer.Write(result?.Manifest.CodesVersion ?? 0);
        writer.Write(result?.Error ?? 0);
        writer.Write(result?.Sampled ?? 0);
        writer.Write(result?.WasDone ?? false);
        return output.WrittenSpan.ToArray();
    }

    public static Outcome<WireTraining> ReadAnswer(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.Open(message, AnswerValues);
        Problem? problem = ProblemCodec.Read(ref reader);
        var done = new WireTraining((uint)reader.ReadInt64(0, uint.MaxValue), reader.ReadDouble(), reader.ReadInt64(min: 0), reader.ReadBoolean());
        Message.End(reader);
        return problem is null ? done : problem;
    }

    private static QuantizerMethod ReadMethod(QuantizerKind kind, ReadOnlySpan<byte> json, int end)
    {
        try
        {
            return kind == QuantizerKind.Rpq
                ? new RpqMethod(JsonSerializer.Deserialize(json, MethodJson.Default.RpqOptions) ?? throw new JsonException("null"))
                : new VectorQuantizerMethod(kind, JsonSerializer.Deserialize(json, MethodJson.Default.QuantizerOptions) ?? throw new JsonException("null"));
        }
        catch (JsonException e)
        {
            throw new MessagePackException(end - json.Length, e.Message, $"settings of {kind} as JSON");
        }
    }
}

[JsonSourceGenerationOptions(
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(QuantizerOptions))]
[JsonSerializable(typeof(RpqOptions))]
internal sealed partial class MethodJson : JsonSerializerContext;
