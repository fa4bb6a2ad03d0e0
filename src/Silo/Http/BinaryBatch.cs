using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Signpost.Engine.Base;
using Signpost.Engine.Search;

namespace Signpost.Silo.Http;

/// <summary>
/// Batches without JSON: rows in, ids and distances out. Little-endian throughout.
/// </summary>
/// <remarks>
/// Request: rows of the collection's element type, one after the other; count = length / row bytes. Settings are in the query string.
/// Answer: u32 count, u32 k, u64 ids[count, k], f32 distances[count, k]; where a query has fewer than k hits the rest of its row is
/// <see cref="MissingId"/> at positive infinity. A batch with a row that cannot be asked is refused as a whole.
/// </remarks>
internal static class BinaryBatch
{
    public const string ContentType = "application/octet-stream";

    /// <summary>Id of an unused place.</summary>
    public const ulong MissingId = ulong.MaxValue;

    private const int HeaderBytes = 8;

    /// <summary>Rows in <paramref name="body"/>, or why it has none.</summary>
    public static Outcome<int> Count(ReadOnlySpan<byte> body, int rowBytes) => body.Length > 0 && body.Length % rowBytes == 0
        ? body.Length / rowBytes
        : new Problem(
            ProblemCode.WrongDimension, "body", $"{body.Length} bytes", $"a multiple of {rowBytes}, the bytes of a vector",
            "Send whole rows of the collection's element type.");

    /// <summary>Binds <paramref name="query"/> to a row, with the checks that a row from a client needs.</summary>
    public static Problem? Bind(ReadOnlySpan<byte> body, int row, OpenCollection collection, Query query)
    {
        ReadOnlySpan<byte> bytes = body.Slice(row * collection.RowBytes, collection.RowBytes);
        return collection.Bind(query, bytes) is { } problem ? problem with { What = $"row {row}, {problem.What}" } : null;
    }

    /// <summary>The answer, or the first row's problem.</summary>
    public static Outcome<byte[]> Write(SearchBatch batch)
    {
        int k = batch.Request.Parameters.K;
        int places = batch.Count * k;
        byte[] bytes = new byte[HeaderBytes + ((long)places * (sizeof(ulong) + sizeof(float)))];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)batch.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), (uint)k);
        Span<ulong> ids = MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan(HeaderBytes, places * sizeof(ulong)));
        Span<float> distances = MemoryMarshal.Cast<byte, float>(bytes.AsSpan(HeaderBytes + (places * sizeof(ulong))));
        ids.Fill(MissingId);
        distances.Fill(float.PositiveInfinity);
        for (int row = 0; row < batch.Count; row++)
        {
            if (batch.Answers[row].Problem is { } problem)
            {
                return problem;
            }

            int place = row * k;
            foreach (Hit hit in batch.Hits(row))
            {
                ids[place] = hit.Id;
                distances[place++] = hit.Distance;
            }
        }

        return bytes;
    }
}
