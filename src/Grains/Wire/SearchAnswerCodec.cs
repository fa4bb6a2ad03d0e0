using System.Buffers;
using Signpost.Client.Wire;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;

namespace Signpost.Grains.Wire;

/// <summary>What a silo answers to one search of a message.</summary>
/// <param name="Answer">The answer; not to be looked at where there is none.</param>
/// <param name="Failure">Why there is none; null where there is one.</param>
internal readonly record struct WireAnswer(ShardAnswer Answer, string? Failure = null);

/// <summary>
/// Answers to the searches of a message, in their order: after the head an array of answers. Each is a string, why there is none; or an
/// array of what was found (<see cref="FoundCodec"/>), the refusal or nil, and what each shard did (<see cref="WorkCodec"/>).
/// </summary>
internal static class SearchAnswerCodec
{
    private const int Values = FoundCodec.Values + 2;

    /// <summary>The message.</summary>
    public static byte[] Write(ReadOnlySpan<WireAnswer> answers)
    {
        int hits = 0;
        foreach (WireAnswer answer in answers)
        {
            hits += answer.Answer.Hits.Length;
        }

        var output = new ArrayBufferWriter<byte>(16 + (hits * PackedHit.Bytes) + (answers.Length * 48));
        MessagePackWriter writer = Message.Begin(output, values: 1);
        writer.WriteArrayHeader(answers.Length);
        foreach (WireAnswer answer in answers)
        {
            if (answer.Failure is not null)
            {
                writer.Write(answer.Failure);
            }
            else
            {
                WriteOne(writer, answer.Answer);
            }
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads the answers to <paramref name="asked"/>: the collection and K of each search.</summary>
    public static WireAnswer[] Read(ReadOnlySpan<byte> message, ReadOnlySpan<(string Collection, int K)> asked)
    {
        MessagePackReader reader = Message.Open(message, values: 1);
        Message.ReadArray(ref reader, asked.Length);
        var answers = new WireAnswer[asked.Length];
        for (int i = 0; i < answers.Length; i++)
        {
            answers[i] = reader.Next == MessagePackKind.String
                ? new WireAnswer(default, reader.ReadString())
                : new WireAnswer(ReadOne(ref reader, asked[i].Collection, asked[i].K));
        }

        Message.End(reader);
        return answers;
    }

    private static void WriteOne(MessagePackWriter writer, in ShardAnswer answer)
    {
        writer.WriteArrayHeader(Values);
        FoundCodec.Write(writer, answer.Hits.Span, answer.Stats, answer.Missing);
        ProblemCodec.Write(writer, answer.Refusal);
        WorkCodec.Write(writer, answer.Work);
    }

    private static ShardAnswer ReadOne(ref MessagePackReader reader, string collection, int k)
    {
        Message.ReadArray(ref reader, Values);
        (Hit[] hits, SearchStats stats, MissingShard[]? missing) = FoundCodec.Read(ref reader, collection, k);
        return new ShardAnswer(hits, stats, missing, ProblemCodec.Read(ref reader), WorkCodec.Read(ref reader));
    }
}
