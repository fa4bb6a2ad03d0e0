using System.Buffers;
using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Quantizers;

/// <summary>
/// A product quantizer (Jegou, Douze, Schmid, "Product quantization for nearest neighbor search", 2011) behind an optional rotation.
/// Rotation and codebooks are the parameters of PQ, OPQ and RPQ alike, so this class holds them all; how they were learned is its
/// <see cref="Kind"/>. What RPQ has besides is in <see cref="RoutingProductQuantizer"/>.
/// </summary>
/// <remarks>
/// A vector x (normalised under cosine) is rotated, z = R x, and cut into M subspaces (<see cref="Subspaces"/>); the code holds the
/// nearest codeword of each by squared distance, whatever the metric, the lower of equals. Components must be finite; others are
/// encoded as something, and nothing fails.
/// </remarks>
public sealed unsafe class ProductQuantizer : IQuantizer
{
    private const int BatchRows = 256;

    private readonly float[] _codewords;
    private readonly float[] _rotation;
    private readonly AlignedBuffer _panels;
    private readonly AlignedBuffer? _rotationRows;
    private readonly AlignedBuffer? _rotationColumns;
    private readonly Int16Matrix? _queryRotation;

    /// <summary>A quantizer of given parameters, which are copied.</summary>
    /// <param name="kind">How they were learned.</param>
    /// <param name="metric">Metric of the tables.</param>
    /// <param name="dim">Components of a vector.</param>
    /// <param name="m">Subspaces, 1 .. rotated dim.</param>
    /// <param name="k">Codewords per subspace, 16 or 256.</param>
    /// <param name="version">Number of this training.</param>
    /// <param name="codewords">The codebooks one after another, each of shape [k, width of its subspace]: k * rotated dim floats.</param>
    /// <param name="rotation">
    /// R, shape [rotated dim, dim], row-major, its rows orthonormal; row j gives component j of R x. A rotated dim below dim leaves
    /// out the directions in which vectors hardly differ. Empty: no rotation.
    /// </param>
    public ProductQuantizer(
        QuantizerKind kind, Metric metric, int dim, int m, int k, uint version, ReadOnlySpan<float> codewords, ReadOnlySpan<float> rotation)
    {
        RotatedDim = rotation.IsEmpty ? dim : rotation.Length / dim;
        Check.That(rotation.Length % dim == 0 && RotatedDim <= dim);
        Check.That(m >= 1 && m <= RotatedDim && k is 16 or 256);
        Check.That(codewords.Length == (long)k * RotatedDim);
        Kind = kind;
        Metric = metric;
        Dim = dim;
        M = m;
        K = k;
        Version = version;
        _codewords = codewords.ToArray();
        _rotation = rotation.ToArray();
        _panels = new AlignedBuffer((long)k * RotatedDim * sizeof(float));
        for (int i = 0; i < m; i++)
        {
            CodewordKernels.Pack(Codebook(i), k, Width(i), Panels(i));
        }

        if (!rotation.IsEmpty)
        {
            _rotationRows = Copy(rotation, dim, transposed: false);
            _rotationColumns = Copy(rotation, dim, transposed: true);
            _queryRotation = new Int16Matrix(rotation, dim);
        }
    }

    /// <inheritdoc/>
    public QuantizerKind Kind { get; }

    /// <inheritdoc/>
    public Metric Metric { get; }

    /// <inheritdoc/>
    public int Dim { get; }

    /// <inheritdoc/>
    public int M { get; }

    /// <inheritdoc/>
    public int K { get; }

    /// <inheritdoc/>
    public int CodeBytes => K == 16 ? (M + 1) / 2 : M;

    /// <inheritdoc/>
    public uint Version { get; }

    /// <summary>Components of a rotated vector, at most <see cref="Dim"/>: what the subspaces are cut from.</summary>
    public int RotatedDim { get; }

    /// <summary>The codebooks one after another, each of shape [K, width of its subspace], row-major.</summary>
    public ReadOnlySpan<float> Codewords => _codewords;

    /// <summary>R, shape [RotatedDim, Dim], row-major; empty where there is none.</summary>
    public ReadOnlySpan<float> Rotation => _rotation;

    /// <summary>Codewords of subspace <paramref name="m"/>. Shape: [K, width of the subspace].</summary>
    public ReadOnlySpan<float> Codebook(int m) =>
        _codewords.AsSpan(K * Offset(m), K * Width(m));

    /// <inheritdoc/>
    public void Encode(VectorBlock vectors, long from, int count, byte* codes)
    {
        Check.That(vectors.Dim == Dim && from >= 0 && count >= 0 && from + count <= vectors.Count);
        float[] floats = ArrayPool<float>.Shared.Rent(BatchRows * (Dim + RotatedDim + 1));
        int[] numbers = ArrayPool<int>.Shared.Rent(BatchRows);
        fixed (float* rows = floats)
        fixed (int* nearest = numbers)
        {
            float* rotated = rows + BatchRows * Dim;
            float* distances = rotated + BatchRows * RotatedDim;
            for (int done = 0; done < count; done += BatchRows)
            {
                int batch = Math.Min(BatchRows, count - done);
                FloatRows.Read(vectors, from + done, batch, Metric, rows);
                float* z = Rotate(rows, batch, rotated);
                byte* target = codes + (long)done * CodeBytes;
                for (int m = 0; m < M; m++)
                {
                    CodewordKernels.Nearest(z + Offset(m), RotatedDim, batch, Panels(m), K, Width(m), nearest, distances);
                    Write(nearest, batch, m, target);
                }
            }
        }

        ArrayPool<float>.Shared.Return(floats);
        ArrayPool<int>.Shared.Return(numbers);
        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public void BuildTable(ReadOnlySpan<float> query, Span<float> table)
    {
        Check.That(query.Length == Dim && table.Length == M * K);
        float[] floats = ArrayPool<float>.Shared.Rent(Dim + RotatedDim);
        Span<float> x = floats.AsSpan(0, Dim);
        query.CopyTo(x);
        if (Metric == Metric.Cosine)
        {
            FloatRows.Normalise(x);
        }

        fixed (float* row = floats)
        fixed (float* entries = table)
        {
            float* z = row;
            if (_queryRotation is not null)
            {
                z = row + Dim;
                _queryRotation.Multiply(x, new Span<float>(z, RotatedDim)); // its rounding is far below the error of any code
            }

            if (Metric == Metric.L2)
            {
                Entries<SquaredL2>(z, 0f, entries);
            }
            else
            {
                Negate(z, RotatedDim);
                Entries<InnerProduct>(z, Metric == Metric.Cosine ? 1f / M : 0f, entries); // M of them add up to 1 - dot, or -dot
            }
        }

        ArrayPool<float>.Shared.Return(floats);
        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public void Decode(ReadOnlySpan<byte> code, Span<float> vector)
    {
        Check.That(code.Length == CodeBytes && vector.Length == Dim);
        float[] floats = ArrayPool<float>.Shared.Rent(RotatedDim);
        Span<float> z = _rotationColumns is null ? vector : floats.AsSpan(0, RotatedDim);
        for (int m = 0; m < M; m++)
        {
            int width = Width(m);
            Codebook(m).Slice(CodeNumbers.Read(code, m, K) * width, width).CopyTo(z[Offset(m)..]);
        }

        if (_rotationColumns is not null)
        {
            fixed (float* y = z)
            fixed (float* x = vector)
            {
                MatrixProduct.MultiplyTransposed(y, 1, (float*)_rotationColumns.Pointer, Dim, RotatedDim, x); // x = R^T z
            }
        }

        ArrayPool<float>.Shared.Return(floats);
        GC.KeepAlive(this);
    }

    /// <summary>Rotates <paramref name="count"/> rows, shape [count, Dim], to columns: <paramref name="rotated"/> has the shape [RotatedDim, count].</summary>
    internal void RotateToColumns(float* rows, int count, float* rotated)
    {
        if (_rotationRows is not null)
        {
            MatrixProduct.MultiplyTransposed((float*)_rotationRows.Pointer, RotatedDim, rows, count, Dim, rotated);
            return;
        }

        for (int i = 0; i < count; i++)
        {
            for (int d = 0; d < Dim; d++)
            {
                rotated[((long)d * count) + i] = *rows++;
            }
        }
    }

    /// <summary>The codewords of subspace <paramref name="m"/> as <see cref="CodewordKernels"/> lays them out.</summary>
    internal float* Panels(int m) => (float*)_panels.Pointer + K * Offset(m);

    private static AlignedBuffer Copy(ReadOnlySpan<float> matrix, int columns, bool transposed)
    {
        var buffer = new AlignedBuffer((long)matrix.Length * sizeof(float));
        var target = new Span<float>(buffer.Pointer, matrix.Length);
        matrix.CopyTo(target);
        int rows = matrix.Length / columns;
        for (int i = 0; i < (transposed ? rows : 0); i++)
        {
            for (int j = 0; j < columns; j++)
            {
                target[j * rows + i] = matrix[i * columns + j];
            }
        }

        return buffer;
    }

    private static void Negate(float* z, int dim)
    {
        for (int d = 0; d < dim; d++)
        {
            z[d] = -z[d];
        }
    }

    private void Entries<TTerm>(float* z, float start, float* entries)
        where TTerm : struct, ITerm
    {
        for (int m = 0; m < M; m++)
        {
            CodewordKernels.Values<TTerm>(z + Offset(m), Panels(m), K, Width(m), start, entries + m * K);
        }
    }

    private int Offset(int m) => Subspaces.Offset(RotatedDim, M, m);

    private int Width(int m) => Subspaces.Width(RotatedDim, M, m);

    private float* Rotate(float* rows, int count, float* rotated)
    {
        if (_rotationRows is null)
        {
            return rows;
        }

        MatrixProduct.MultiplyTransposed(rows, count, (float*)_rotationRows.Pointer, RotatedDim, Dim, rotated);
        return rotated;
    }

    private void Write(int* numbers, int count, int m, byte* codes)
    {
        byte* target = codes + CodeNumbers.ByteOf(m, K);
        for (int i = 0; i < count; i++, target += CodeBytes)
        {
            CodeNumbers.Write(target, m, K, numbers[i]);
        }
    }
}
