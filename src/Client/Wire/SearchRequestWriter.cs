using System.Buffers;
using System.Runtime.InteropServices;

namespace Signpost.Client.Wire;

/// <summary>A search's request as MessagePack.</summary>
internal static class SearchRequestWriter
{
    private const int RoomForSettings = 256;

    /// <param name="rows">Vectors, one after the other.</param>
    /// <param name="dim">Components of a vector.</param>
    /// <param name="options">What is null in it is not sent.</param>
    public static ReadOnlyMemory<byte> Write(ReadOnlySpan<float> rows, int dim, SearchOptions options)
    {
        var output = new ArrayBufferWriter<byte>((rows.Length * sizeof(float)) + RoomForSettings);
        var writer = new MessagePackWriter(output);
        long? timeoutMs = options.Timeout is { } time ? (long)Math.Ceiling(time.TotalMilliseconds) : null;
        (string Name, long? Value)[] numbers =
        [
            (SearchFields.Dim, dim), (SearchFields.K, options.K), (SearchFields.L, options.L), (SearchFields.Rerank, options.Rerank),
            (SearchFields.TimeoutMs, timeoutMs),
        ];
        (string Name, string? Value)[] words =
        [
            (SearchFields.Mode, options.Mode is { } mode ? Word(mode) : null), (SearchFields.Require, options.RequireFull ? SearchFields.Full : null),
        ];
        writer.WriteMapHeader(1 + numbers.Count(n => n.Value is not null) + words.Count(w => w.Value is not null));
        foreach ((string name, long? value) in numbers)
        {
            if (value is { } number)
            {
                writer.Write(name);
                writer.Write(number);
            }
        }

        foreach ((string name, string? value) in words)
        {
            if (value is not null)
            {
                writer.Write(name);
                writer.Write(value);
            }
        }

        writer.Write(SearchFields.Vectors);
        writer.Write(MemoryMarshal.AsBytes(rows));
        return output.WrittenMemory;
    }

    private static string Word(SearchMode mode) => mode switch
    {
        SearchMode.Auto => "auto",
        SearchMode.Exact => "exact",
        SearchMode.Codes => "codes",
        SearchMode.CodesRerank => "codes+rerank",
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "unknown mode"),
    };
}
