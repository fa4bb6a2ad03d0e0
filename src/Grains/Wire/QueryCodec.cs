using System.Buffers;
using Signpost.Client.Wire;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;

namespace Signpost.Grains.Wire;

/// <summary>A search of a whole collection as it arrives at its coordinator.</summary>
/// <param name="Request">What is asked.</param>
/// <param name="Left">Time that is left; null without an end.</param>
/// <param name="Row">The vector in the collection's element type; a part of the message.</param>
internal sealed record WireQuery(SearchRequest Request, TimeSpan? Left, ReadOnlyMemory<byte> Row);

/// <summary>
/// A search of a collection. Request: parameters (<see cref="ParametersCodec"/>), whether full coverage is required, time left, row.
/// Answer: problem or nil, shards answered, shards, vectors answered, vectors, what was found (<see cref="FoundCodec"/>).
/// </summary>
internal static class QueryCodec
{
    private const int RequestValues = ParametersCodec.Values + 3;
    private const int AnswerValues = FoundCodec.Values + 5;

    public static byte[] WriteRequest(WireQuery query)
    {
        var output = new ArrayBufferWriter<byte>(query.Row.Length + 64);
        MessagePackWriter writer = Message.Begin(output, RequestValues);
        ParametersCodec.Write(writer, query.Request.Parameters);
        writer.Write(query.Request.RequireFull);
        ParametersCodec.WriteLeft(writer, query.Left);
        writer.Write(query.Row.Span);
        return output.WrittenSpan.ToArray();
    }

    public static WireQuery ReadRequest(ReadOnlyMemory<byte> message, WireLimits limits)
    {
        MessagePackReader reader = Message.Open(message.Span, RequestValues);
        SearchParameters parameters = ParametersCodec.Read(ref reader, limits);
        bool requireFull = reader.ReadBoolean();
        TimeSpan? left = ParametersCodec.ReadLeft(ref reader);
        int length = reader.ReadBinary().Length;
        Message.End(reader);
        return new WireQuery(new SearchRequest(parameters, requireFull), left, message.Slice(reader.Offset - length, length));
    }

    /// <summary>The answer; its hits are in the front of <paramref name="hits"/>.</summary>
    public static byte[] WriteAnswer(in Outcome<SearchAnswer> outcome, ReadOnlySpan<Hit> hits)
    {
        SearchAnswer answer = outcome.Value;
        var output = new ArrayBufferWriter<byte>((answer.Count * PackedHit.Bytes) + 128);
        MessagePackWriter writer = Message.Begin(output, AnswerValues);
        ProblemCodec.Write(writer, outcome.Problem);
        writer.Write(answer.Coverage.ShardsAnswered);
        writer.Write(answer.Coverage.Shards);
        writer.Write(answer.Coverage.VectorsAnswered);
        writer.Write(answer.Coverage.Vectors);
        FoundCodec.Write(writer, hits[..answer.Count], answer.Stats, answer.Missing);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads the answer to a search of <paramref name="collection"/> for <paramref name="k"/> hits.</summary>
    public static (Outcome<SearchAnswer> Answer, Hit[] Hits) ReadAnswer(ReadOnlySpan<byte> message, string collection, int k)
    {
        MessagePackReader reader = Message.Open(message, AnswerValues);
        Problem? problem = ProblemCodec.Read(ref reader);
        int answered = Message.ReadCount(ref reader);
        int shards = Message.ReadCount(ref reader);
        var coverage = new Coverage(answered, shards, reader.ReadInt64(min: 0), reader.ReadInt64(min: 0));
        (Hit[] hits, SearchStats stats, MissingShard[]? missing) = FoundCodec.Read(ref reader, collection, k);
        Message.End(reader);
        return (problem is null ? new SearchAnswer(hits.Length, coverage, stats, missing ?? []) : problem, hits);
    }
}
