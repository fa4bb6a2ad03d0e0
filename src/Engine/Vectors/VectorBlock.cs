using Signpost.Engine.Base;

namespace Signpost.Engine.Vectors;

/// <summary>
/// Vectors in native or mapped memory, row by row. Shape: [<see cref="Count"/>, <see cref="Dim"/>] with
/// <see cref="StrideBytes"/> bytes from one row to the next (a mapped fvecs file has 4 header bytes between rows, so rows are
/// not aligned). All offsets are 64-bit. Reading is thread-safe. Pointers are valid while the block is reachable and not disposed.
/// </summary>
public sealed unsafe class VectorBlock : IDisposable
{
    private readonly IDisposable? _owner;
    /// <summary>Describes memory that <paramref name="owner"/> holds and frees with this block (null: not ours).</summary>
    public VectorBlock(byte* first, long count, int dim, ElementType type, long strideBytes, IDisposable? owner)
    {
        Check.That(count >= 0 && dim > 0 && strideBytes >= (long)dim * type.Bytes());
        First = first;
        Count = count;
        Dim = dim;
        Type = type;
        StrideBytes = strideBytes;
        _owner = owner;
    }

    /// <summary>First component of the first row.</summary>
    public byte* First { get; }

    /// <summary>Number of vectors.</summary>
    public long Count { get; }

    /// <summary>Components of a vector.</summary>
    public int Dim { get; }

    /// <summary>Type of a component.</summary>
    public ElementType Type { get; }

    /// <summary>Bytes from one row to the next.</summary>
    public long StrideBytes { get; }

    /// <summary>Bytes of one row's components, without any gap.</summary>
    public int RowBytes => Dim * Type.Bytes();

    /// <summary>Keeps the block that this one looks into from being collected, and its memory with it.</summary>
    private VectorBlock? Viewed { get; init; }

    /// <summary>A block of its own memory, zeroed, without gaps between rows.</summary>
    public static VectorBlock Allocate(long count, int dim, ElementType type)
    {
        long stride = (long)dim * type.Bytes();
        var buffer = new AlignedBuffer(checked(count * stride));
        return new VectorBlock(buffer.Pointer, count, dim, type, stride, buffer);
    }

    /// <summary>A block of <paramref name="rows"/> (row-major, a multiple of <paramref name="dim"/> long).</summary>
    public static VectorBlock Of(ReadOnlySpan<float> rows, int dim)
    {
        Check.That(rows.Length % dim == 0);
        VectorBlock block = Allocate(rows.Length / dim, dim, ElementType.Float32);
        rows.CopyTo(new Span<float>(block.First, rows.Length));
        return block;
    }

    /// <summary>First component of row <paramref name="index"/>; not checked.</summary>
    public byte* Row(long index) => First + index * StrideBytes;

    /// <summary>The bytes of row <paramref name="index"/>, checked.</summary>
    public ReadOnlySpan<byte> RowSpan(long index)
    {
        Check.That((ulong)index < (ulong)Count);
        return new ReadOnlySpan<byte>(Row(index), RowBytes);
    }

    /// <summary>Row <paramref name="index"/> as float32, into <paramref name="target"/> of at least <see cref="Dim"/>.</summary>
    public void CopyRow(long index, Span<float> target) => Elements.ToFloat(RowSpan(index), Type, target);

    /// <summary>Rows [from, from + count) as a view, valid until this block is disposed.</summary>
    public VectorBlock Slice(long from, long count)
    {
        Check.That(from >= 0 && count >= 0 && from <= Count - count);
        return new VectorBlock(Row(from), count, Dim, Type, StrideBytes, null) { Viewed = this };
    }

    /// <summary>The chosen rows, copied in that order into memory of their own.</summary>
    public VectorBlock Gather(ReadOnlySpan<long> rows)
    {
        VectorBlock result = Allocate(rows.Length, Dim, Type);
        for (int i = 0; i < rows.Length; i++)
        {
            RowSpan(rows[i]).CopyTo(new Span<byte>(result.Row(i), RowBytes));
        }

        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => _owner?.Dispose();
}
