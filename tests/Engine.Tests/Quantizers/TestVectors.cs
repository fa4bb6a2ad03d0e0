using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Quantizers;

/// <summary>Made vectors, the same for the same seed.</summary>
internal static class TestVectors
{
    /// <summary>Independent standard normal components. Shape: [count, dim].</summary>
    public static float[] Normal(int count, int dim, ulong seed)
    {
        var random = new Seeded(seed, 0);
        var rows = new float[count * dim];
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = (float)random.NextGaussian();
        }

        return rows;
    }

    /// <summary>Whole numbers 0 .. max as floats: distances are then exact and ties are common.</summary>
    public static float[] Whole(int count, int dim, int max, ulong seed)
    {
        var random = new Seeded(seed, 1);
        var rows = new float[count * dim];
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = random.Next(max + 1);
        }

        return rows;
    }

    /// <summary>
    /// Components that fall off in variance and are then mixed, so that every component is correlated with many others, of all
    /// subspaces.
    /// </summary>
    public static VectorBlock Correlated(int count, int dim, ulong seed)
    {
        float[] sources = Normal(count, dim, seed);
        float[] mixing = Normal(dim, dim, seed + 1);
        var rows = new float[count * dim];
        for (int i = 0; i < count; i++)
        {
            for (int source = 0; source < dim; source++)
            {
                float value = sources[i * dim + source] * MathF.Pow(0.8f, source);
                for (int d = 0; d < dim; d++)
                {
                    rows[i * dim + d] += value * mixing[source * dim + d];
                }
            }
        }

        return VectorBlock.Of(rows, dim);
    }

    /// <summary>Points close around <paramref name="centres"/>, shape [k, dim], in turn.</summary>
    public static VectorBlock Blobs(float[] centres, int dim, int each, float radius, ulong seed)
    {
        float[] rows = Normal(centres.Length / dim * each, dim, seed);
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = rows[i] * radius + centres[i % centres.Length];
        }

        return VectorBlock.Of(rows, dim);
    }

    /// <summary>The dull squared distance.</summary>
    public static double SquaredDistance(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        double sum = 0;
        for (int d = 0; d < x.Length; d++)
        {
            double difference = (double)x[d] - y[d];
            sum += difference * difference;
        }

        return sum;
    }

    /// <summary>The dull product.</summary>
    public static double Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        double sum = 0;
        for (int d = 0; d < x.Length; d++)
        {
            sum += (double)x[d] * y[d];
        }

        return sum;
    }

    /// <summary>A row as floats.</summary>
    public static float[] Row(VectorBlock vectors, long index)
    {
        var row = new float[vectors.Dim];
        vectors.CopyRow(index, row);
        return row;
    }

    /// <summary>Scaled to length 1.</summary>
    public static float[] Normalised(float[] row)
    {
        double length = Math.Sqrt(Dot(row, row));
        return [.. row.Select(value => (float)(value / length))];
    }

    /// <summary>The same values as whole numbers of another element type.</summary>
    public static VectorBlock As(this VectorBlock vectors, ElementType type)
    {
        VectorBlock result = VectorBlock.Allocate(vectors.Count, vectors.Dim, type);
        for (long i = 0; i < vectors.Count; i++)
        {
            unsafe
            {
                Assert.Null(Elements.FromFloat(Row(vectors, i), type, new Span<byte>(result.Row(i), result.RowBytes)));
            }
        }

        return result;
    }
}
