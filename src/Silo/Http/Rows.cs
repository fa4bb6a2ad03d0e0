using Microsoft.AspNetCore.Http.Features;
using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;

namespace Signpost.Silo.Http;

/// <summary>Vectors as they come in a binary body: rows of one element type, little-endian, one after the other, without gaps.</summary>
internal sealed class Rows
{
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly ElementType _type;
    private readonly int _dim;

    private Rows(ReadOnlyMemory<byte> bytes, ElementType type, int dim)
    {
        _bytes = bytes;
        _type = type;
        _dim = dim;
    }

    /// <summary>Vectors.</summary>
    public int Count => _bytes.Length / RowBytes;

    private int RowBytes => _dim * _type.Bytes();

    /// <summary>The whole body of the request.</summary>
    public static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpContext context)
    {
        long most = context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize ?? 0;
        using var stream = new MemoryStream(capacity: (int)Math.Min(context.Request.ContentLength ?? 0, most));
        await context.Request.Body.CopyToAsync(stream, context.RequestAborted);
        return stream.GetBuffer().AsMemory(0, (int)stream.Length);
    }

    /// <summary>The rows in <paramref name="bytes"/>, or why these are none.</summary>
    public static Outcome<Rows> Of(ReadOnlyMemory<byte> bytes, ElementType type, int dim)
    {
        var rows = new Rows(bytes, type, dim);
        return bytes.Length > 0 && bytes.Length % rows.RowBytes == 0
            ? rows
            : new Problem(
                ProblemCode.WrongDimension, "vectors", $"{bytes.Length} bytes", $"a multiple of {rows.RowBytes}, the bytes of a vector",
                $"Send whole rows of {dim} components of {type.Word()}.");
    }

    /// <summary>Binds <paramref name="query"/> to a row, with the checks that numbers from outside need.</summary>
    public Problem? Bind(int row, Query query)
    {
        Span<float> floats = _dim <= 1024 ? stackalloc float[_dim] : new float[_dim];
        Elements.ToFloat(_bytes.Span.Slice(row * RowBytes, RowBytes), _type, floats);
        return query.Set(floats) is { } problem ? problem with { What = $"row {row}, {problem.What}" } : null;
    }
}
