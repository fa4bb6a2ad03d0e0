using System.Buffers;
using System.Runtime.CompilerServices;
using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Quantizers;

/// <summary>
/// Codes without training: a random rotation, then 1 or 4 bits per dimension and two factors per vector that make the estimate of the
/// distance unbiased (RaBitQ: Gao, Long, "RaBitQ: quantizing high-dimensional vectors with a theoretical error bound", SIGMOD 2024;
/// several bits: Gao et al., SIGMOD 2025, here with the rounding scale from a grid).
/// </summary>
/// <remarks>
/// With c the mean of the sample, r = R (x - c) and code y of components number - (2^bits - 1) / 2, the inner product of r with any z
/// is estimated by (r r / r y) * (y z). Over random R the estimate is unbiased, because the part of y across r points anywhere. The
/// query is not quantized, unlike in the paper: its table holds the sums of four dimensions (1 bit) or the products of one (4 bits).
/// </remarks>
public sealed unsafe class RabitqCoder : ITableCoder
{
    private const int BatchRows = 256;
    private const int Sixteen = 16;
    private const int FactorBytes = 2 * sizeof(float);
    private const int MostCentred = 65_536;

    // Rounding steps that 4 bits try, as shares of the one that reaches the largest component.
    private const int Steps = 16;
    private const float LeastStep = 0.4f;

    private readonly Metric _metric;
    private readonly float[] _centre;
    private readonly float[] _rotation;

    /// <param name="metric">Metric of the tables.</param>
    /// <param name="bits">Bits per dimension, 1 or 4.</param>
    /// <param name="centre">What is subtracted before rotation, of dim components.</param>
    /// <param name="rotation">R, orthonormal, shape [dim, dim], row-major; row j gives component j of R x.</param>
    public RabitqCoder(Metric metric, int bits, ReadOnlySpan<float> centre, ReadOnlySpan<float> rotation)
    {
        Check.That(bits is 1 or 4 && centre.Length > 0 && rotation.Length == (long)centre.Length * centre.Length);
        _metric = metric;
        Bits = bits;
        _centre = centre.ToArray();
        _rotation = rotation.ToArray();
    }

    /// <summary>Bits per dimension: 1 or 4.</summary>
    public int Bits { get; }

    /// <inheritdoc/>
    public int Dim => _centre.Length;

    /// <summary>Numbers of four bits: of four dimensions each at 1 bit, of one at 4.</summary>
    public int M => ((Dim * Bits) + 3) / 4;

    /// <inheritdoc/>
    public int K => Sixteen;

    /// <inheritdoc/>
    public int CodeBytes => ((M + 1) / 2) + FactorBytes;

    /// <inheritdoc/>
    public bool HasFactors => true;

    private int Dims => 4 / Bits; // of a number

    private float Middle => ((1 << Bits) - 1) / 2f;

    /// <summary>A coder with the centre of <paramref name="sample"/> and a rotation that is random by <paramref name="seed"/>.</summary>
    /// <exception cref="ProblemException">A component of the sample is not finite.</exception>
    public static RabitqCoder Make(VectorBlock sample, Metric metric, int bits, ulong seed, Work work)
    {
        using FloatRows rows = FloatRows.Sample(sample, metric, MostCentred, seed, work);
        var sums = new double[rows.Dim];
        for (int i = 0; i < rows.Count; i++)
        {
            for (int d = 0; d < rows.Dim; d++)
            {
                sums[d] += rows.Row(i)[d];
            }
        }

        float[] centre = [.. sums.Select(sum => (float)(sum / Math.Max(1, rows.Count)))];
        return new RabitqCoder(metric, bits, centre, Rotations.Random(rows.Dim, seed, work));
    }

    /// <inheritdoc/>
    public void Encode(VectorBlock vectors, long from, int count, byte* codes)
    {
        Check.That(vectors.Dim == Dim && from >= 0 && count >= 0 && from + count <= vectors.Count);
        float[] floats = ArrayPool<float>.Shared.Rent(BatchRows * 2 * Dim);
        fixed (float* rows = floats)
        {
            float* rotated = rows + (BatchRows * Dim);
            for (int done = 0; done < count; done += BatchRows)
            {
                int batch = Math.Min(BatchRows, count - done);
                FloatRows.Read(vectors, from + done, batch, _metric, rows);
                for (int i = 0; i < batch * Dim; i++)
                {
                    rows[i] -= _centre[i % Dim];
                }

                Rotate(rows, batch, rotated);
                for (int i = 0; i < batch; i++)
                {
                    Write(new ReadOnlySpan<float>(rotated + (i * Dim), Dim), new Span<byte>(codes + ((long)(done + i) * CodeBytes), CodeBytes));
                }
            }
        }

        ArrayPool<float>.Shared.Return(floats);
    }

    /// <inheritdoc/>
    public void BuildTable(ReadOnlySpan<float> query, Span<float> table)
    {
        Check.That(query.Length == Dim && table.Length == (M * K) + 1);
        float[] floats = ArrayPool<float>.Shared.Rent(2 * Dim);
        Span<float> q = floats.AsSpan(0, Dim);
        query.CopyTo(q);
        if (_metric == Metric.Cosine)
        {
            FloatRows.Normalise(q);
        }

        // L2: |x - q|^2 = |r|^2 - 2 r z + |q - c|^2 with z = R (q - c). Otherwise x q = r z + c q with z = R q.
        double common = _metric == Metric.Cosine ? 1 : 0;
        for (int d = 0; d < Dim; d++)
        {
            if (_metric == Metric.L2)
            {
                q[d] -= _centre[d];
            }

            common += _metric == Metric.L2 ? (double)q[d] * q[d] : -(double)q[d] * _centre[d];
        }

        fixed (float* row = floats)
        {
            Rotate(row, 1, row + Dim);
        }

        Entries(floats.AsSpan(Dim, Dim), table);
        table[^1] = (float)common;
        ArrayPool<float>.Shared.Return(floats);
    }

    private void Rotate(float* rows, int count, float* rotated)
    {
        fixed (float* rotation = _rotation)
        {
            MatrixProduct.MultiplyTransposed(rows, count, rotation, Dim, Dim, rotated);
        }
    }

    /// <summary>Entry [m, n]: the product of number n's components with those of z that it stands for; none beyond the last dimension.</summary>
    private void Entries(ReadOnlySpan<float> z, Span<float> table)
    {
        for (int m = 0; m < M; m++)
        {
            for (int number = 0; number < K; number++)
            {
                float sum = 0;
                for (int i = 0, d = m * Dims; i < Dims && d < Dim; i++, d++)
                {
                    sum += z[d] * (((number >> (i * Bits)) & ((1 << Bits) - 1)) - Middle);
                }

                table[(m * K) + number] = sum;
            }
        }
    }

    private void Write(ReadOnlySpan<float> r, Span<byte> code)
    {
        code.Clear();
        float step = Bits == 1 ? float.PositiveInfinity : BestStep(r);
        double alongCode = 0; // r y
        double squared = 0; // r r
        for (int d = 0; d < r.Length; d++)
        {
            int number = Number(r[d], step);
            int bit = d * Bits;
            code[bit / 8] |= (byte)(number << (bit % 8));
            alongCode += r[d] * (number - Middle);
            squared += (double)r[d] * r[d];
        }

        float ratio = alongCode > 0 ? (float)(squared / alongCode) : 0; // the centre itself has neither
        float offset = _metric == Metric.L2 ? (float)squared : 0;
        Unsafe.WriteUnaligned(ref code[^FactorBytes], offset);
        Unsafe.WriteUnaligned(ref code[^sizeof(float)], _metric == Metric.L2 ? -2 * ratio : -ratio);
    }

    /// <summary>The nearest of the numbers to a component in steps from the middle; at an infinite step its sign.</summary>
    private int Number(float component, float step) => float.IsPositiveInfinity(step)
        ? component > 0 ? 1 : 0
        : Math.Clamp((int)MathF.Floor((component / step) + Middle + 0.5f), 0, (1 << Bits) - 1);

    /// <summary>The step whose code is nearest to <paramref name="r"/> in direction.</summary>
    private float BestStep(ReadOnlySpan<float> r)
    {
        float most = 0;
        foreach (float component in r)
        {
            most = MathF.Max(most, MathF.Abs(component));
        }

        (float best, double bestCosine) = (1f, double.NegativeInfinity);
        for (int i = 0; i < Steps && most > 0; i++)
        {
            float step = most / (Middle + 0.5f) * (LeastStep + ((1 - LeastStep) * i / (Steps - 1)));
            double along = 0;
            double squared = 0;
            foreach (float component in r)
            {
                float y = Number(component, step) - Middle;
                along += component * y;
                squared += y * y;
            }

            double cosine = along / Math.Sqrt(squared);
            (best, bestCosine) = cosine > bestCosine ? (step, cosine) : (best, bestCosine);
        }

        return best;
    }
}
