using Signpost.Client.Wire;
using Signpost.Engine.Search;

namespace Signpost.Grains.Wire;

/// <summary>How to search, as four values: k, l, mode, rerank; and the time for it, as microseconds that are left (nil: no end).</summary>
internal static class ParametersCodec
{
    /// <summary>Values that the parameters take in an array.</summary>
    public const int Values = 4;

    /// <summary>Longest time: about a century.</summary>
    private const long MostMicroseconds = 3_155_760_000_000_000;

    public static void Write(MessagePackWriter writer, in SearchParameters parameters)
    {
        writer.Write(parameters.K);
        writer.Write(parameters.L);
        writer.Write((int)parameters.Mode);
        writer.Write(parameters.Rerank);
    }

    /// <summary>Reads them; K is bounded, all else is for the shards to judge.</summary>
    public static SearchParameters Read(ref MessagePackReader reader, WireLimits limits)
    {
        int k = reader.ReadInt32(max: limits.K);
        int l = reader.ReadInt32();
        SearchMode mode = Message.ReadEnum<SearchMode>(ref reader);
        return new SearchParameters(k, l, mode, reader.ReadInt32());
    }

    public static void WriteLeft(MessagePackWriter writer, TimeSpan? left)
    {
        if (left is { } time)
        {
            writer.Write(Math.Min((long)time.TotalMicroseconds, MostMicroseconds));
        }
        else
        {
            writer.WriteNil();
        }
    }

    public static TimeSpan? ReadLeft(ref MessagePackReader reader) =>
        reader.TryReadNil() ? null : TimeSpan.FromMicroseconds(reader.ReadInt64(0, MostMicroseconds));
}
