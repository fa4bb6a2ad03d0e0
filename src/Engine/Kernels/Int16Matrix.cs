using System.Buffers;
using System.Numerics;
using Signpost.Engine.Base;

namespace Signpost.Engine.Kernels;

/// <summary>
/// A matrix in 16-bit integers, for products with one vector at a time. Such a product waits for memory: it reads half of what float32 would,
/// the rotation of 784 components stays in the second-level cache, and columns whose component of the vector is 0 are not read at all: four of
/// five, where vectors are pixels of written digits.
/// </summary>
/// <remarks>
/// Rows, and the vector, are scaled to a Euclidean norm of 2^15 - 1 and rounded. By the inequality of Cauchy and Schwarz no sum of their
/// products then leaves 32 bits, up to 2^24 components; and each product is right to |row| |vector| sqrt(dim) / 2^15 at worst, to about
/// |row| |vector| / 2^16 where roundings are independent. Sums are whole numbers, so every width gives the same.
///
/// Lanes are rows: a unit holds two columns of a row side by side, against which the same two components of the vector are broadcast.
/// </remarks>
internal sealed unsafe class Int16Matrix
{
    private const int Norm = short.MaxValue;
    private const int TileVectors = 4; // sums in flight
    private const int TileRows = TileVectors * 16; // of the widest vector
    private const double Nothing = 1e-30; // the square of a shorter vector is 0 in float32

    private readonly int _rows;
    private readonly int _dim;
    private readonly int _pairs;
    private readonly AlignedBuffer _words; // [tiles, pairs of columns, rows of a tile, 2]
    private readonly float[] _scales;

    /// <summary>The matrix of <paramref name="values"/>, shape [rows, dim], row-major, finite.</summary>
    public Int16Matrix(ReadOnlySpan<float> values, int dim)
    {
        _rows = values.Length / dim;
        _dim = dim;
        _pairs = (dim + 1) / 2;
        _words = new AlignedBuffer((long)((_rows + TileRows - 1) / TileRows) * _pairs * TileRows * sizeof(int));
        _scales = new float[_rows];
        var row = new short[dim];
        for (int i = 0; i < _rows; i++)
        {
            _scales[i] = Round(values.Slice(i * dim, dim), row);
            short* target = (short*)Tile(i / TileRows) + (2 * (i % TileRows));
            for (int d = 0; d < dim; d++)
            {
                target[((long)(d / 2) * 2 * TileRows) + (d % 2)] = row[d];
            }
        }
    }

    /// <summary>The product with <paramref name="vector"/> of dim components: one value for each row. Thread-safe.</summary>
    public void Multiply(ReadOnlySpan<float> vector, Span<float> product) => Multiply<Native>(vector, product);

    /// <summary>As the other, in the width that <typeparamref name="TWidth"/> allows.</summary>
    public void Multiply<TWidth>(ReadOnlySpan<float> vector, Span<float> product)
        where TWidth : struct, ISimdWidth
    {
        Check.That(vector.Length == _dim && product.Length == _rows);
        int[] rented = ArrayPool<int>.Shared.Rent((2 * _pairs) + TileRows);
        fixed (int* pairs = rented)
        {
            int* places = pairs + _pairs, sums = places + _pairs;
            pairs[_pairs - 1] = 0; // where dim is odd, half of the last one is none
            float scale = Round(vector, new Span<short>(pairs, _dim));
            int found = 0;
            for (int pair = 0; pair < _pairs; pair++)
            {
                (pairs[found], places[found]) = (pairs[pair], pair);
                found += pairs[found] == 0 ? 0 : 1;
            }

            for (int first = 0; first < _rows; first += TileRows)
            {
                Widths.Integers<Int8, Product, TWidth, bool>(new Product(Tile(first / TileRows), pairs, places, found, sums)); // words are units of any element
                for (int i = first; i < Math.Min(_rows, first + TileRows); i++)
                {
                    product[i] = sums[i - first] * (_scales[i] * scale);
                }
            }
        }

        ArrayPool<int>.Shared.Return(rented);
        GC.KeepAlive(this);
    }

    private byte* Tile(int tile) => _words.Pointer + ((long)tile * _pairs * TileRows * sizeof(int));

    /// <summary>Writes whole numbers in the proportions of <paramref name="values"/>; returns what one of them stands for.</summary>
    private static float Round(ReadOnlySpan<float> values, Span<short> words)
    {
        double squares = 0;
        int vectors = values.Length / (2 * Vector<float>.Count) * 2 * Vector<float>.Count, i;
        Vector<double> low = default, high = default;
        for (i = 0; i < vectors; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(values[i..]), out Vector<double> x, out Vector<double> y);
            (low, high) = (low + (x * x), high + (y * y));
        }

        for (; i < values.Length; i++)
        {
            squares += (double)values[i] * values[i];
        }

        double norm = Math.Sqrt(squares + Vector.Sum(low + high));
        float factor = norm > Nothing ? (float)(Norm / norm) : 0f;
        for (i = 0; i < vectors; i += 2 * Vector<float>.Count)
        {
            Vector<float> x = Vector.Round(new Vector<float>(values[i..]) * factor);
            Vector<float> y = Vector.Round(new Vector<float>(values[(i + Vector<float>.Count)..]) * factor);
            Vector.Narrow(Vector.ConvertToInt32(x), Vector.ConvertToInt32(y)).CopyTo(words[i..]);
        }

        for (; i < values.Length; i++)
        {
            words[i] = (short)MathF.Round(values[i] * factor);
        }

        return (float)(norm / Norm);
    }

    /// <summary>The sums of the rows of a tile, for one width.</summary>
    /// <param name="tile">Its words.</param>
    /// <param name="pairs">Pairs of components of the vector that are not both 0. Shape: [found].</param>
    /// <param name="places">Which pairs those are. Shape: [found].</param>
    /// <param name="found">How many.</param>
    /// <param name="sums">Shape: [TileRows].</param>
    private readonly struct Product(byte* tile, int* pairs, int* places, int found, int* sums) : ILanesUser<bool>
    {
        public bool Use<TElement, TLanes, V>()
            where TElement : struct, IElement<V>
            where TLanes : struct, ILanes<V>
            where V : struct
        {
            int step = TLanes.Units * sizeof(int);
            for (int at = 0; at < TileRows * sizeof(int); at += TileVectors * step)
            {
                V sum0 = default, sum1 = default, sum2 = default, sum3 = default;
                for (int i = 0; i < found; i++)
                {
                    byte* words = tile + ((long)places[i] * TileRows * sizeof(int)) + at;
                    V x = TLanes.Broadcast((byte*)(pairs + i));
                    sum0 = TLanes.MultiplyAdd(TLanes.Load(words), x, sum0);
                    sum1 = TLanes.MultiplyAdd(TLanes.Load(words + step), x, sum1);
                    sum2 = TLanes.MultiplyAdd(TLanes.Load(words + (2 * step)), x, sum2);
                    sum3 = TLanes.MultiplyAdd(TLanes.Load(words + (3 * step)), x, sum3);
                }

                byte* target = (byte*)sums + at;
                TLanes.Store(sum0, target);
                TLanes.Store(sum1, target + step);
                TLanes.Store(sum2, target + (2 * step));
                TLanes.Store(sum3, target + (3 * step));
            }

            return true;
        }
    }
}
