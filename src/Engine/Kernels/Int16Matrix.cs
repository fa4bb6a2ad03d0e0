using System.Buffers;
using Signpost.Engine.Base;

namespace Signpost.Engine.Kernels;

/// <summary>
/// A matrix in 16-bit integers, for products with one vector at a time. Such a product waits for memory: it reads half of what float32 would,
/// and the rotation of 784 components stays in the second-level cache.
/// </summary>
/// <remarks>
/// Rows, and the vector, are scaled to a Euclidean norm of 2^15 - 1 and rounded. By the inequality of Cauchy and Schwarz no sum of their
/// products then leaves 32 bits, up to 2^24 components; and each product is right to |row| |vector| sqrt(dim) / 2^15 at worst, to about
/// |row| |vector| / 2^16 where roundings are independent. Sums are whole numbers, so every width gives the same.
/// </remarks>
internal sealed unsafe class Int16Matrix
{
    private const int Norm = short.MaxValue;
    private const int RowAlignment = 64; // the widest vector
    private const double Nothing = 1e-30; // the square of a shorter vector is 0 in float32
    private const int TileRows = 4; // a load of the vector serves four rows

    private readonly int _rows;
    private readonly int _dim;
    private readonly int _rowBytes;
    private readonly AlignedBuffer _words;
    private readonly float[] _scales;

    /// <summary>The matrix of <paramref name="values"/>, shape [rows, dim], row-major, finite.</summary>
    public Int16Matrix(ReadOnlySpan<float> values, int dim)
    {
        _rows = values.Length / dim;
        _dim = dim;
        _rowBytes = ((dim * sizeof(short)) + RowAlignment - 1) / RowAlignment * RowAlignment;
        int stored = (_rows + TileRows - 1) / TileRows * TileRows;
        _words = new AlignedBuffer((long)stored * _rowBytes);
        _scales = new float[_rows];
        for (int i = 0; i < _rows; i++)
        {
            _scales[i] = Round(values.Slice(i * dim, dim), (short*)(_words.Pointer + ((long)i * _rowBytes)));
        }
    }

    /// <summary>The product with <paramref name="vector"/> of dim components: one value for each row. Thread-safe.</summary>
    public void Multiply(ReadOnlySpan<float> vector, Span<float> product) => Multiply<Native>(vector, product);

    /// <summary>As the other, in the width that <typeparamref name="TWidth"/> allows.</summary>
    public void Multiply<TWidth>(ReadOnlySpan<float> vector, Span<float> product)
        where TWidth : struct, ISimdWidth
    {
        Check.That(vector.Length == _dim && product.Length == _rows);
        short[] words = ArrayPool<short>.Shared.Rent(_rowBytes / sizeof(short));
        fixed (short* rounded = words)
        fixed (float* target = product)
        {
            new Span<short>(rounded + _dim, (_rowBytes / sizeof(short)) - _dim).Clear();
            float scale = Round(vector, rounded);
            Widths.Integers<Int8, Product, TWidth, bool>(new Product(this, (byte*)rounded, target, scale)); // elements are not looked at: words are units
        }

        ArrayPool<short>.Shared.Return(words);
        GC.KeepAlive(this);
    }

    /// <summary>Writes whole numbers in the proportions of <paramref name="values"/>; returns what one of them stands for.</summary>
    private static float Round(ReadOnlySpan<float> values, short* words)
    {
        double squares = 0;
        foreach (float value in values)
        {
            squares += (double)value * value;
        }

        double norm = Math.Sqrt(squares);
        float factor = norm > Nothing ? (float)(Norm / norm) : 0f;
        for (int i = 0; i < values.Length; i++)
        {
            words[i] = (short)MathF.Round(values[i] * factor);
        }

        return (float)(norm / Norm);
    }

    /// <summary>The loop, for one width.</summary>
    private readonly struct Product(Int16Matrix matrix, byte* vector, float* target, float scale) : ILanesUser<bool>
    {
        public bool Use<TElement, TLanes, V>()
            where TElement : struct, IElement<V>
            where TLanes : struct, ILanes<V>
            where V : struct
        {
            int step = TLanes.Units * sizeof(int);
            float* totals = stackalloc float[TileRows];
            for (int i = 0; i < matrix._rows; i += TileRows)
            {
                byte* row = matrix._words.Pointer + ((long)i * matrix._rowBytes);
                V sum0 = default, sum1 = default, sum2 = default, sum3 = default;
                for (int at = 0; at < matrix._rowBytes; at += step, row += step)
                {
                    V x = TLanes.Load(vector + at);
                    sum0 = TLanes.MultiplyAdd(TLanes.Load(row), x, sum0);
                    sum1 = TLanes.MultiplyAdd(TLanes.Load(row + matrix._rowBytes), x, sum1);
                    sum2 = TLanes.MultiplyAdd(TLanes.Load(row + (2L * matrix._rowBytes)), x, sum2);
                    sum3 = TLanes.MultiplyAdd(TLanes.Load(row + (3L * matrix._rowBytes)), x, sum3);
                }

                (totals[0], totals[1], totals[2], totals[3]) = (TLanes.Total(sum0), TLanes.Total(sum1), TLanes.Total(sum2), TLanes.Total(sum3));
                for (int j = 0; j < Math.Min(TileRows, matrix._rows - i); j++)
                {
                    target[i + j] = totals[j] * (matrix._scales[i + j] * scale);
                }
            }

            return true;
        }
    }
}
