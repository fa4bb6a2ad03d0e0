using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Signpost.Client.Wire;

/// <summary>A search's answer as MessagePack. Names that a newer silo may add are passed over.</summary>
internal static class SearchReplyReader
{
    private const double MostMs = 86_400_000; // a day

    /// <summary>One item per vector that was asked.</summary>
    /// <exception cref="MessagePackException">These bytes are no such answer.</exception>
    public static ImmutableArray<SearchItem> Read(ReadOnlySpan<byte> body, int count)
    {
        TimeSpan took = TookOf(body);
        var reader = new MessagePackReader(body);
        for (int pairs = reader.ReadMapHeader(); pairs > 0; pairs--)
        {
            if (reader.ReadString() == SearchFields.Results)
            {
                return ReadItems(ref reader, count, took);
            }

            reader.Skip();
        }

        throw new MessagePackException(0, "a map without it", $"'{SearchFields.Results}'");
    }

    /// <summary>The time stands behind the results, which are made only once.</summary>
    private static TimeSpan TookOf(ReadOnlySpan<byte> body)
    {
        var reader = new MessagePackReader(body);
        var took = TimeSpan.Zero;
        for (int pairs = reader.ReadMapHeader(); pairs > 0; pairs--)
        {
            if (reader.ReadString() == SearchFields.TookMs)
            {
                int start = reader.Offset;
                double ms = reader.ReadDouble();
                took = ms is >= 0 and <= MostMs ? TimeSpan.FromMilliseconds(ms) : throw new MessagePackException(start, $"{ms} ms", $"0 .. {MostMs}");
            }
            else
            {
                reader.Skip();
            }
        }

        return reader.IsAtEnd ? took : throw new MessagePackException(reader.Offset, "more bytes", "the end");
    }

    private static ImmutableArray<SearchItem> ReadItems(ref MessagePackReader reader, int count, TimeSpan took)
    {
        int start = reader.Offset;
        int items = reader.ReadArrayHeader();
        if (items != count)
        {
            throw new MessagePackException(start, $"{items} results", $"{count}, one for each vector");
        }

        ImmutableArray<SearchItem>.Builder read = ImmutableArray.CreateBuilder<SearchItem>(count);
        for (int i = 0; i < count; i++)
        {
            read.Add(ReadItem(ref reader, took));
        }

        return read.MoveToImmutable();
    }

    private static SearchItem ReadItem(ref MessagePackReader reader, TimeSpan took)
    {
        int start = reader.Offset;
        ImmutableArray<Hit>? hits = null;
        Coverage? coverage = null;
        ImmutableArray<MissingShard> missing = [];
        SearchStats stats = default;
        SignpostException? error = null;
        for (int pairs = reader.ReadMapHeader(); pairs > 0; pairs--)
        {
            switch (reader.ReadString())
            {
                case SearchFields.Hits:
                    hits = ReadHits(ref reader);
                    break;
                case SearchFields.Coverage:
                    coverage = ReadCoverage(ref reader);
                    break;
                case SearchFields.Missing:
                    missing = ReadMissing(ref reader);
                    break;
                case SearchFields.Stats:
                    stats = ReadStats(ref reader);
                    break;
                case SearchFields.Problem:
                    error = ReadProblem(ref reader);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return error is not null ? new SearchItem(null, error)
            : hits is { } found && coverage is { } covered
                ? new SearchItem(new SearchResult { Hits = found, Coverage = covered, Missing = missing, Stats = stats, Took = took }, null)
                : throw new MessagePackException(start, "a result without them", $"'{SearchFields.Hits}' and '{SearchFields.Coverage}', or '{SearchFields.Problem}'");
    }

    private static ImmutableArray<Hit> ReadHits(ref MessagePackReader reader)
    {
        int start = reader.Offset;
        ReadOnlySpan<byte> block = reader.ReadBinary();
        if (block.Length % PackedHit.Bytes != 0)
        {
            throw new MessagePackException(start, $"{block.Length} bytes", $"a multiple of {PackedHit.Bytes}");
        }

        var hits = new Hit[block.Length / PackedHit.Bytes];
        for (int i = 0; i < hits.Length; i++)
        {
            (ulong id, float distance) = PackedHit.Read(block, i);
            hits[i] = new Hit(id, distance);
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(hits);
    }

    private static Coverage ReadCoverage(ref MessagePackReader reader)
    {
        var coverage = default(Coverage);
        for (int pairs = reader.ReadMapHeader(); pairs > 0; pairs--)
        {
            switch (reader.ReadString())
            {
                case SearchFields.ShardsAnswered:
                    coverage = coverage with { ShardsAnswered = reader.ReadInt32() };
                    break;
                case SearchFields.Shards:
                    coverage = coverage with { Shards = reader.ReadInt32() };
                    break;
                case SearchFields.VectorsAnswered:
                    coverage = coverage with { VectorsAnswered = reader.ReadInt64() };
                    break;
                case SearchFields.Vectors:
                    coverage = coverage with { Vectors = reader.ReadInt64() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return coverage;
    }

    private static SearchStats ReadStats(ref MessagePackReader reader)
    {
        var stats = default(SearchStats);
        for (int pairs = reader.ReadMapHeader(); pairs > 0; pairs--)
        {
            switch (reader.ReadString())
            {
                case SearchFields.Hops:
                    stats = stats with { Hops = reader.ReadInt64() };
                    break;
                case SearchFields.DistanceComputations:
                    stats = stats with { DistanceComputations = reader.ReadInt64() };
                    break;
                case SearchFields.Reranked:
                    stats = stats with { Reranked = reader.ReadInt64() };
                    break;
                case SearchFields.DeadlineReached:
                    stats = stats with { DeadlineReached = reader.ReadBoolean() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return stats;
    }

    private static ImmutableArray<MissingShard> ReadMissing(ref MessagePackReader reader)
    {
        int count = reader.ReadArrayHeader();
        ImmutableArray<MissingShard>.Builder read = ImmutableArray.CreateBuilder<MissingShard>(count);
        for (int i = 0; i < count; i++)
        {
            var shard = new MissingShard(0, "");
            for (int pairs = reader.ReadMapHeader(); pairs > 0; pairs--)
            {
                switch (reader.ReadString())
                {
                    case SearchFields.Shard:
                        shard = shard with { Shard = reader.ReadInt32() };
                        break;
                    case SearchFields.Reason:
                        shard = shard with { Reason = reader.ReadString() };
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }

            read.Add(shard);
        }

        return read.MoveToImmutable();
    }

    private static SignpostException ReadProblem(ref MessagePackReader reader)
    {
        var problem = new ProblemBody();
        int status = 0;
        for (int pairs = reader.ReadMapHeader(); pairs > 0; pairs--)
        {
            switch (reader.ReadString())
            {
                case SearchFields.Status:
                    status = reader.ReadInt32();
                    break;
                case SearchFields.Code:
                    problem = problem with { Code = reader.ReadString() };
                    break;
                case SearchFields.Detail:
                    problem = problem with { Detail = reader.ReadString() };
                    break;
                case SearchFields.Got:
                    problem = problem with { Got = reader.ReadString() };
                    break;
                case SearchFields.Expected:
                    problem = problem with { Expected = reader.ReadString() };
                    break;
                case SearchFields.Mend:
                    problem = problem with { Mend = reader.ReadString() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return Failures.Of(problem, status);
    }
}
