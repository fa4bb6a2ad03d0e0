using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Quantizers;

/// <summary>Rows as quantizers work on them: float32, without gaps, normalised under cosine.</summary>
/// <remarks>Shape: [<see cref="Count"/>, <see cref="Dim"/>], row-major.</remarks>
internal sealed unsafe class FloatRows(int count, int dim) : IDisposable
{
    private const int ChunkRows = 1024;

    private readonly AlignedBuffer _buffer = new((long)count * dim * sizeof(float));

    public int Count { get; } = count;

    public int Dim { get; } = dim;

    public float* First => (float*)_buffer.Pointer;

    public float* Row(int index) => First + (long)index * Dim;

    /// <summary>
    /// At most <paramref name="most"/> rows of <paramref name="vectors"/>, chosen uniformly without replacement and kept in their order.
    /// </summary>
    /// <exception cref="ProblemException">A chosen row has a component that is NaN or infinite.</exception>
    public static FloatRows Sample(VectorBlock vectors, Metric metric, int most, ulong seed, Work work)
    {
        long[] chosen = Choose(vectors.Count, most, seed);
        var rows = new FloatRows(chosen.Length, vectors.Dim);
        work.For("read training vectors", rows.Count, ChunkRows, (from, to, _) =>
        {
            for (int i = (int)from; i < to; i++)
            {
                Read(vectors, chosen[i], 1, metric, rows.Row(i));
                RefuseNotFinite(new ReadOnlySpan<float>(rows.Row(i), rows.Dim), chosen[i]);
            }
        });
        return rows;
    }

    /// <summary>Copies rows [from, from + count) to <paramref name="target"/>; the zero vector stays zero under cosine.</summary>
    public static void Read(VectorBlock vectors, long from, int count, Metric metric, float* target)
    {
        for (int i = 0; i < count; i++)
        {
            var row = new Span<float>(target + (long)i * vectors.Dim, vectors.Dim);
            vectors.CopyRow(from + i, row);
            if (metric == Metric.Cosine)
            {
                Normalise(row);
            }
        }
    }

    /// <summary>Scales <paramref name="row"/> to length 1; the zero vector stays zero.</summary>
    public static void Normalise(Span<float> row)
    {
        double squared = 0;
        foreach (float value in row)
        {
            squared += (double)value * value;
        }

        double scale = squared > 0 ? 1.0 / Math.Sqrt(squared) : 0;
        for (int i = 0; i < row.Length; i++)
        {
            row[i] = (float)(row[i] * scale);
        }
    }

    /// <summary>Components [offset, offset + width) of every row.</summary>
    public FloatRows Columns(int offset, int width)
    {
        var columns = new FloatRows(Count, width);
        for (int i = 0; i < Count; i++)
        {
            new ReadOnlySpan<float>(Row(i) + offset, width).CopyTo(new Span<float>(columns.Row(i), width));
        }

        return columns;
    }

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();

    /// <summary>min(count, most) different numbers below <paramref name="count"/>, ascending, every set as likely (Floyd).</summary>
    internal static long[] Choose(long count, int most, ulong seed)
    {
        if (count <= most)
        {
            var all = new long[count];
            for (int i = 0; i < all.Length; i++)
            {
                all[i] = i;
            }

            return all;
        }

        var random = new Seeded(seed, RandomStreams.Sample);
        var chosen = new HashSet<long>(most);
        for (long last = count - most; last < count; last++)
        {
            long candidate = (long)(random.NextUInt64() % (ulong)(last + 1));
            chosen.Add(chosen.Contains(candidate) ? last : candidate);
        }

        long[] result = [.. chosen];
        Array.Sort(result);
        return result;
    }

    private static void RefuseNotFinite(ReadOnlySpan<float> row, long index)
    {
        for (int i = 0; i < row.Length; i++)
        {
            if (!float.IsFinite(row[i]))
            {
                throw new ProblemException(new Problem(
                    ProblemCode.InvalidComponent,
                    $"training vector {index}, component {i}",
                    $"{row[i]}",
                    "a finite number",
                    "Clean the vectors."));
            }
        }
    }
}

/// <summary>Streams of <see cref="Seeded"/> in this folder: one number per purpose; k-means of subspace m uses Subspace + m, try n of a rotation Rotation + n.</summary>
internal static class RandomStreams
{
    public const ulong Sample = 1;
    public const ulong Seeding = 2;
    public const ulong Axes = 3;
    public const ulong Subspace = 1 << 20;
    public const ulong Rotation = 1UL << 32;
}
