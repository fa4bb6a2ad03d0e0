using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Primitives;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;

namespace Signpost.Silo.Http;

/// <summary>A search as bare numbers: rows in, ids and distances out. Little-endian throughout.</summary>
/// <remarks>
/// Request: rows of the collection's element type (<see cref="Rows"/>); settings are in the query string.
/// Answer: u32 count, u32 k, u64 ids[count, k], f32 distances[count, k]; where a query has fewer than k hits the rest of its row is
/// <see cref="MissingId"/> at positive infinity. A batch with a row that cannot be asked is refused as a whole.
/// </remarks>
internal sealed class BinaryForm : ISearchForm
{
    public const string MediaType = "application/octet-stream";

    /// <summary>Id of an unused place.</summary>
    public const ulong MissingId = ulong.MaxValue;

    private const int HeaderBytes = 8;

    private static readonly string[] QueryKeys = ["k", "l", "mode", "rerank", "timeout_ms", "require"];

    /// <inheritdoc/>
    public string ContentType => MediaType;

    /// <inheritdoc/>
    public async Task<Outcome<SearchInput>> ReadAsync(HttpContext context, IServedCollection collection)
    {
        Outcome<SearchBody> settings = ReadQueryString(context.Request.Query);
        if (settings.Problem is { } wrong)
        {
            return wrong;
        }

        Outcome<Rows> rows = Rows.Of(await Rows.ReadBodyAsync(context), collection.Type, collection.Dim);
        return rows.Problem is { } problem ? problem : new SearchInput(settings.Value!, rows.Value!.Count, rows.Value.Bind);
    }

    /// <inheritdoc/>
    public async Task<Problem?> WriteAsync(HttpContext context, SearchInput input, SearchBatch batch, double tookMs)
    {
        Outcome<byte[]> answer = Pack(batch);
        if (answer.Problem is not null)
        {
            return answer.Problem;
        }

        Coverage least = batch.Answers.Select(a => a.Value.Coverage).MinBy(c => c.ShardsAnswered);
        context.Response.ContentType = MediaType;
        context.Response.ContentLength = answer.Value!.Length;
        context.Response.Headers["Signpost-Shards-Answered"] = least.ShardsAnswered.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["Signpost-Shards"] = least.Shards.ToString(CultureInfo.InvariantCulture);
        await context.Response.Body.WriteAsync(answer.Value, context.RequestAborted);
        return null;
    }

    /// <summary>The answer, or the first row's problem.</summary>
    private static Outcome<byte[]> Pack(SearchBatch batch)
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

    /// <summary>The settings; every key must be known and every number a number.</summary>
    private static Outcome<SearchBody> ReadQueryString(IQueryCollection query)
    {
        foreach ((string key, StringValues values) in query)
        {
            bool isText = key is "mode" or "require";
            if (!QueryKeys.Contains(key) || values.Count != 1 || (!isText && !int.TryParse(values[0], CultureInfo.InvariantCulture, out _)))
            {
                return new Problem(
                    ProblemCode.InvalidArgument, "query string", $"{key}={values}", $"{string.Join(" | ", QueryKeys)}, each at most once, numbers whole",
                    "Mend the query string.");
            }
        }

        return new SearchBody
        {
            K = Number("k"),
            L = Number("l"),
            Mode = query["mode"],
            Rerank = Number("rerank"),
            TimeoutMs = Number("timeout_ms"),
            Require = query["require"],
        };

        int? Number(string key) => query.TryGetValue(key, out StringValues text) ? int.Parse(text!, CultureInfo.InvariantCulture) : null;
    }
}
