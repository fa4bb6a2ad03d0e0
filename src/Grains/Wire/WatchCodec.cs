using System.Diagnostics;
using Signpost.Client.Wire;
using Signpost.Engine.Cluster;

namespace Signpost.Grains.Wire;

/// <summary>
/// Who looks at a search: nil for nobody, or an array of whether the work of each shard is wanted, the span as a traceparent of W3C Trace
/// Context (nil: not traced) and its tracestate (nil: none).
/// </summary>
internal static class WatchCodec
{
    private const int Values = 3;

    /// <summary>Longest tracestate that is passed on, as the standard asks at least.</summary>
    private const int MaxState = 512;

    public static void Write(MessagePackWriter writer, SearchWatch? watch)
    {
        if (watch is null)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(Values);
        writer.Write(watch.WantsShards);
        if (!watch.IsTraced)
        {
            writer.WriteNil();
            writer.WriteNil();
            return;
        }

        ActivityContext span = watch.Span;
        writer.Write($"00-{span.TraceId}-{span.SpanId}-{(int)span.TraceFlags:x2}");
        if (span.TraceState is { Length: > 0 and <= MaxState } state)
        {
            writer.Write(state);
        }
        else
        {
            writer.WriteNil();
        }
    }

    public static SearchWatch? Read(ref MessagePackReader reader)
    {
        if (reader.TryReadNil())
        {
            return null;
        }

        Message.ReadArray(ref reader, Values);
        bool wantsShards = reader.ReadBoolean();
        int start = reader.Offset;
        string? parent = reader.TryReadNil() ? null : reader.ReadString();
        string? state = reader.TryReadNil() ? null : reader.ReadString();
        ActivityContext span = default;
        return parent is null || ActivityContext.TryParse(parent, state, isRemote: true, out span)
            ? new SearchWatch(span, wantsShards)
            : throw new MessagePackException(start, $"'{parent}'", "a traceparent");
    }
}
