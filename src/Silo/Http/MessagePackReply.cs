using System.Buffers;
using Signpost.Client.Wire;

namespace Signpost.Silo.Http;

/// <summary>The answer of <see cref="MessagePackForm"/>.</summary>
internal static class MessagePackReply
{
    /// <summary>Writes what <paramref name="batch"/> found.</summary>
    public static void Write(IBufferWriter<byte> output, SearchBatch batch, double tookMs)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(2);
        writer.Write(SearchFields.Results);
        writer.WriteArrayHeader(batch.Count);
        for (int row = 0; row < batch.Count; row++)
        {
            WriteItem(writer, Replies.Of(batch, row));
        }

        writer.Write(SearchFields.TookMs);
        writer.Write(tookMs);
    }

    private static void WriteItem(MessagePackWriter writer, ItemReply item)
    {
        if (item.Problem is { } problem)
        {
            writer.WriteMapHeader(2);
            WriteText(writer, SearchFields.Status, item.Status);
            writer.Write(SearchFields.Problem);
            WriteProblem(writer, problem);
            return;
        }

        writer.WriteMapHeader(item.Missing is null ? 4 : 5);
        WriteText(writer, SearchFields.Status, item.Status);
        writer.Write(SearchFields.Hits);
        WriteHits(writer, item.Hits!);
        writer.Write(SearchFields.Coverage);
        WriteCoverage(writer, item.Coverage!);
        if (item.Missing is { } missing)
        {
            writer.Write(SearchFields.Missing);
            WriteMissing(writer, missing);
        }

        writer.Write(SearchFields.Stats);
        WriteStats(writer, item.Stats!);
    }

    private static void WriteHits(MessagePackWriter writer, HitReply[] hits)
    {
        Span<byte> block = writer.WriteBinary(hits.Length * PackedHit.Bytes);
        for (int i = 0; i < hits.Length; i++)
        {
            PackedHit.Write(block, i, hits[i].Id, hits[i].Distance);
        }
    }

    private static void WriteCoverage(MessagePackWriter writer, CoverageReply coverage)
    {
        writer.WriteMapHeader(4);
        WriteNumber(writer, SearchFields.ShardsAnswered, coverage.ShardsAnswered);
        WriteNumber(writer, SearchFields.Shards, coverage.Shards);
        WriteNumber(writer, SearchFields.VectorsAnswered, coverage.VectorsAnswered);
        WriteNumber(writer, SearchFields.Vectors, coverage.Vectors);
    }

    private static void WriteMissing(MessagePackWriter writer, MissingReply[] missing)
    {
        writer.WriteArrayHeader(missing.Length);
        foreach (MissingReply shard in missing)
        {
            writer.WriteMapHeader(2);
            WriteNumber(writer, SearchFields.Shard, shard.Shard);
            WriteText(writer, SearchFields.Reason, shard.Reason);
        }
    }

    private static void WriteStats(MessagePackWriter writer, StatsReply stats)
    {
        writer.WriteMapHeader(4);
        WriteNumber(writer, SearchFields.Hops, stats.Hops);
        WriteNumber(writer, SearchFields.DistanceComputations, stats.DistanceComputations);
        WriteNumber(writer, SearchFields.Reranked, stats.Reranked);
        writer.Write(SearchFields.DeadlineReached);
        writer.Write(stats.DeadlineReached);
    }

    private static void WriteProblem(MessagePackWriter writer, ProblemReply problem)
    {
        writer.WriteMapHeader(8);
        WriteText(writer, SearchFields.Type, problem.Type);
        WriteText(writer, SearchFields.Title, problem.Title);
        WriteNumber(writer, SearchFields.Status, problem.Status);
        WriteText(writer, SearchFields.Detail, problem.Detail);
        WriteText(writer, SearchFields.Code, problem.Code);
        WriteText(writer, SearchFields.Got, problem.Got);
        WriteText(writer, SearchFields.Expected, problem.Expected);
        WriteText(writer, SearchFields.Mend, problem.Mend);
    }

    private static void WriteText(MessagePackWriter writer, string name, string value)
    {
        writer.Write(name);
        writer.Write(value);
    }

    private static void WriteNumber(MessagePackWriter writer, string name, long value)
    {
        writer.Write(name);
        writer.Write(value);
    }
}
