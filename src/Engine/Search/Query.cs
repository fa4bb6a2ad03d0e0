using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Search;

/// <summary>
/// A query bound once and asked of many shards: its components as stored vectors have them, and the look-up table of the
/// collection's quantizer, made on first use. Reusable and pooled; used by one thread while its table is made.
/// </summary>
public sealed unsafe class Query : IDisposable
{
    private readonly AlignedBuffer _row;
    private readonly float[] _floats;
    private readonly byte[] _converted;
    private AlignedBuffer? _table;
    private ITableCoder? _tableOf;

    /// <summary>An empty query for vectors of <paramref name="dim"/> components of <paramref name="type"/>.</summary>
    public Query(int dim, ElementType type, Metric metric)
    {
        Check.That(dim > 0);
        Dim = dim;
        Type = type;
        Metric = metric;
        _row = new AlignedBuffer((long)dim * type.Bytes() + 64);
        _floats = new float[dim];
        _converted = new byte[dim * type.Bytes()];
    }

    /// <summary>Components.</summary>
    public int Dim { get; }

    /// <summary>Type of the components of <see cref="Row"/>.</summary>
    public ElementType Type { get; }

    /// <summary>Metric of the collection.</summary>
    public Metric Metric { get; }

    /// <summary>The components in the collection's element type.</summary>
    public byte* Row => _row.Pointer;

    /// <summary>The same as a span, to be used while this is not disposed.</summary>
    public ReadOnlySpan<byte> RowSpan => new(Row, Dim * Type.Bytes());

    /// <summary>Binds <paramref name="vector"/>, or says why it is refused and leaves the old one.</summary>
    public Problem? Set(ReadOnlySpan<float> vector)
    {
        if (vector.Length != Dim)
        {
            return new Problem(ProblemCode.WrongDimension, "query", $"{vector.Length} components", $"{Dim}", "Ask with a vector of the collection's dimension.");
        }

        Span<byte> row = _converted;
        if (Elements.FromFloat(vector, Type, row) is { } problem)
        {
            return problem;
        }

        if (Metric == Metric.Cosine && Direction.Fault("query", Type, row) is { } none)
        {
            return none;
        }

        SetRow(row);
        return null;
    }

    /// <summary>Binds a row in the collection's element type that comes from outside, or says why it is refused and leaves the old one.</summary>
    public Problem? TrySetRow(ReadOnlySpan<byte> row)
    {
        if (row.Length != Dim * Type.Bytes())
        {
            return new Problem(
                ProblemCode.WrongDimension, "query", $"{row.Length} bytes", $"{Dim * Type.Bytes()}", "Ask with a vector of the collection's dimension and type.");
        }

        if (Elements.IndexOfNonFinite(row, Type) is var wrong and >= 0)
        {
            return new Problem(ProblemCode.InvalidComponent, $"component {wrong}", "NaN or infinite", $"a finite {Type}", "Clean the vector.");
        }

        if (Metric == Metric.Cosine && Direction.Fault("query", Type, row) is { } none)
        {
            return none;
        }

        SetRow(row);
        return null;
    }

    /// <summary>Binds a row in the collection's element type, as a <see cref="VectorBlock"/> of the collection holds it.</summary>
    public void SetRow(ReadOnlySpan<byte> row)
    {
        Check.That(row.Length == Dim * Type.Bytes());
        row.CopyTo(new Span<byte>(Row, row.Length));
        _tableOf = null;
    }

    /// <summary>The look-up table of this query, as <see cref="ITableCoder.BuildTable"/> of <paramref name="coder"/> makes it.</summary>
    public float* Table(ITableCoder coder)
    {
        if (!ReferenceEquals(_tableOf, coder))
        {
            long bytes = (long)coder.TableLength * sizeof(float);
            if (_table is null || _table.Length < bytes)
            {
                _table?.Dispose();
                _table = new AlignedBuffer(bytes);
            }

            Elements.ToFloat(RowSpan, Type, _floats);
            coder.BuildTable(_floats, new Span<float>(_table.Pointer, coder.TableLength));
            _tableOf = coder;
        }

        return (float*)_table!.Pointer;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _row.Dispose();
        _table?.Dispose();
    }
}
