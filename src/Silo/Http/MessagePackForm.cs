using Signpost.Client.Wire;
using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Silo.Http;

/// <summary>A search as MessagePack: vectors and hits as packed numbers, all else by name; each vector has its own status.</summary>
/// <remarks>
/// Request: a map of <c>vectors</c> (a byte block of <see cref="Rows"/>), <c>dim</c>, <c>element_type</c> and the settings.
/// Answer: a map of <c>results</c>, an item per vector as in JSON but with <c>hits</c> as a byte block of <see cref="PackedHit"/>, and
/// <c>took_ms</c>.
/// </remarks>
internal sealed class MessagePackForm : ISearchForm
{
    /// <inheritdoc/>
    public string ContentType => SearchFields.ContentType;

    /// <inheritdoc/>
    public async Task<Outcome<SearchInput>> ReadAsync(HttpContext context, IServedCollection collection)
    {
        ReadOnlyMemory<byte> body = await Rows.ReadBodyAsync(context);
        try
        {
            return Read(body, collection);
        }
        catch (MessagePackException e)
        {
            return new Problem(ProblemCode.InvalidArgument, "body", $"{e.Got} at byte {e.Offset}", e.Expected, "Mend the MessagePack.");
        }
    }

    /// <inheritdoc/>
    public async Task<Problem?> WriteAsync(HttpContext context, SearchInput input, SearchBatch batch, double tookMs)
    {
        context.Response.ContentType = ContentType;
        MessagePackReply.Write(context.Response.BodyWriter, batch, tookMs);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        return null;
    }

    private static Outcome<SearchInput> Read(ReadOnlyMemory<byte> body, IServedCollection collection)
    {
        var reader = new MessagePackReader(body.Span);
        var settings = new SearchBody();
        ReadOnlyMemory<byte> vectors = default;
        string elementType = ElementType.Float32.Word();
        int dim = collection.Dim;
        for (int pairs = reader.ReadMapHeader(); pairs > 0; pairs--)
        {
            int start = reader.Offset;
            string name = reader.ReadString();
            if (reader.TryReadNil())
            {
                continue; // as if it were left out
            }

            switch (name)
            {
                case SearchFields.Vectors:
                    int length = reader.ReadBinary().Length;
                    vectors = body.Slice(reader.Offset - length, length);
                    break;
                case SearchFields.Dim:
                    dim = reader.ReadInt32();
                    break;
                case SearchFields.ElementType:
                    elementType = reader.ReadString();
                    break;
                default:
                    settings = ReadSetting(ref reader, settings, name) ?? throw new MessagePackException(start, $"'{name}'", "a name of docs/http.md");
                    break;
            }
        }

        if (!reader.IsAtEnd)
        {
            throw new MessagePackException(reader.Offset, "more bytes", "the end, after one map");
        }

        Outcome<Rows> rows = Vectors(vectors, dim, elementType, collection);
        return rows.Problem is { } problem ? problem : new SearchInput(settings, rows.Value!.Count, rows.Value.Bind);
    }

    /// <summary><paramref name="settings"/> with one more; null where there is none of that name.</summary>
    private static SearchBody? ReadSetting(ref MessagePackReader reader, SearchBody settings, string name) => name switch
    {
        SearchFields.K => settings with { K = reader.ReadInt32() },
        SearchFields.L => settings with { L = reader.ReadInt32() },
        SearchFields.Mode => settings with { Mode = reader.ReadString() },
        SearchFields.Rerank => settings with { Rerank = reader.ReadInt32() },
        SearchFields.TimeoutMs => settings with { TimeoutMs = reader.ReadInt32() },
        SearchFields.Require => settings with { Require = reader.ReadString() },
        _ => null,
    };

    private static Outcome<Rows> Vectors(ReadOnlyMemory<byte> bytes, int dim, string elementType, IServedCollection collection)
    {
        if (dim != collection.Dim)
        {
            return new Problem(ProblemCode.WrongDimension, "vectors", $"{dim} components", $"{collection.Dim}", "Ask with vectors of the collection's dimension.");
        }

        string own = collection.Type.Word();
        string numbers = ElementType.Float32.Word();
        if (elementType != numbers && elementType != own)
        {
            return new Problem(
                ProblemCode.InvalidArgument, SearchFields.ElementType, $"'{elementType}'", own == numbers ? numbers : $"{numbers} | {own}",
                "Send float32, or the collection's own element type.");
        }

        return Rows.Of(bytes, elementType == own ? collection.Type : ElementType.Float32, dim);
    }
}
