using Signpost.Engine.Base;
using Signpost.Engine.Kernels;

namespace Signpost.Engine.Quantizers;

/// <summary>Square matrices R that turn vectors, z = R x. Shape: [dim, dim], row-major; row j gives component j of z.</summary>
internal static unsafe class Rotations
{
    private const int MatrixChunkRows = 64;
    private const int VectorChunkRows = 1024;

    /// <summary>The rotation that changes nothing.</summary>
    public static float[] Identity(int dim)
    {
        var identity = new float[dim * dim];
        for (int i = 0; i < dim; i++)
        {
            identity[i * dim + i] = 1f;
        }

        return identity;
    }

    /// <summary>An orthonormal matrix, every one as likely: the polar factor of a matrix of independent normal numbers.</summary>
    public static float[] Random(int dim, ulong seed, Work work)
    {
        for (ulong attempt = 0; ; attempt++)
        {
            var random = new Seeded(seed, RandomStreams.Rotation + attempt);
            var normal = new float[dim * dim];
            for (int i = 0; i < normal.Length; i++)
            {
                normal[i] = (float)random.NextGaussian();
            }

            if (PolarFactor(normal, dim, work.Silent()) is { } rotation)
            {
                return rotation; // else it was singular to the eye of a float
            }
        }
    }

    /// <summary>Rotates every row of <paramref name="rows"/> into <paramref name="rotated"/>.</summary>
    public static void Apply(float[] rotation, FloatRows rows, FloatRows rotated, Work work) =>
        MultiplyTransposed(rows.First, rows.Count, VectorChunkRows, rotation, rows.Dim, rotated.First, work);

    /// <summary>Largest |R R^T - I| of any entry, R of shape [rows, dim]; NaN where R has one.</summary>
    public static double Skewness(ReadOnlySpan<float> rotation, int dim, Work work)
    {
        float[] r = rotation.ToArray();
        int rows = r.Length / dim;
        var product = new float[rows * rows];
        fixed (float* left = r)
        fixed (float* target = product)
        {
            float* first = left;
            float* gram = target;
            work.For("rotate", rows, MatrixChunkRows, (from, to, _) =>
                MatrixProduct.MultiplyTransposed(first + from * dim, (int)(to - from), first, rows, dim, gram + from * rows));
        }

        return DistanceFromIdentity(product, rows);
    }

    /// <summary>
    /// The orthonormal matrix nearest to <paramref name="matrix"/>, its polar factor U V^T where the matrix is U S V^T: the solution of
    /// the orthogonal Procrustes problem (Schonemann 1966). Null where the iteration does not settle.
    /// </summary>
    /// <remarks>
    /// Newton-Schulz iteration X := X (3 I - a^2 X^T X) a / 2 with the scaling a of Chen and Chow (2014), which lifts small singular
    /// values 2.5-fold a step: two matrix products a step and no singular value decomposition.
    /// </remarks>
    public static float[]? PolarFactor(float[] matrix, int dim, Work work)
    {
        const int MaxSteps = 60;
        const double Settled = 2e-6;
        const double MostScaling = 1.69770248526; // keeps the largest singular value from being lost (Chen, Chow 2014)
        float[] x = ScaledBelowOne(matrix, dim);
        var gram = new float[dim * dim];
        var next = new float[dim * dim];
        double least = 1e-7; // guess of the least singular value; wrong guesses cost steps, nothing else
        double error = double.PositiveInfinity;
        for (int step = 0; step < MaxSteps; step++)
        {
            MultiplyTransposed(x, x, dim, gram, work); // X X^T
            double before = error;
            error = DistanceFromIdentity(gram, dim);
            if (error <= Settled || (error < 1e-4 && error >= before))
            {
                return x;
            }

            double a = Math.Min(MostScaling, Math.Sqrt(3 / (1 + least + least * least)));
            least = Math.Min(1, a * least * (3 - a * a * least * least) / 2);
            for (int i = 0; i < gram.Length; i++)
            {
                gram[i] = (float)(-0.5 * a * a * a * gram[i] + (i / dim == i % dim ? 1.5 * a : 0));
            }

            // X := G X with G symmetric; the product takes its right side transposed
            float[] transposed = Transposed(x, dim);
            MultiplyTransposed(gram, transposed, dim, next, work);
            (x, next) = (next, x);
        }

        return null;
    }

    /// <summary>
    /// Takes from an almost orthonormal matrix what rounding has added: one Newton-Schulz step R := (3 I - R R^T) R / 2, which squares
    /// the distance from the orthonormal matrices.
    /// </summary>
    public static void Clean(float[] rotation, int dim, Work work)
    {
        var gram = new float[dim * dim];
        MultiplyTransposed(rotation, rotation, dim, gram, work);
        for (int i = 0; i < gram.Length; i++)
        {
            gram[i] = (i / dim == i % dim ? 1.5f : 0f) - 0.5f * gram[i];
        }

        MultiplyTransposed(gram, Transposed(rotation, dim), dim, rotation, work);
    }

    /// <summary>a b^T of two square matrices.</summary>
    public static void MultiplyTransposed(float[] a, float[] b, int dim, float[] product, Work work)
    {
        fixed (float* left = a)
        fixed (float* target = product)
        {
            MultiplyTransposed(left, dim, MatrixChunkRows, b, dim, target, work);
        }
    }

    /// <summary>a b^T of matrices of shapes [aRows, dim] and [bRows, dim].</summary>
    public static void Multiply(float[] a, int aRows, float[] b, int bRows, int dim, float[] product, Work work)
    {
        Check.That(a.Length >= aRows * dim && b.Length == bRows * dim && product.Length >= aRows * bRows);
        fixed (float* left = a)
        fixed (float* target = product)
        {
            Multiply(left, aRows, MatrixChunkRows, b, bRows, dim, target, work);
        }
    }

    /// <summary>As the other, of rows in memory of their own, <paramref name="chunk"/> of them at a time.</summary>
    public static void Multiply(float* rows, int count, int chunk, float[] matrix, int columns, int dim, float* target, Work work) =>
        work.For("rotate", count, chunk, (from, to, _) =>
        {
            fixed (float* right = matrix)
            {
                MatrixProduct.MultiplyTransposed(rows + from * dim, (int)(to - from), right, columns, dim, target + from * columns);
            }
        });

    private static void MultiplyTransposed(float* rows, int count, int chunk, float[] matrix, int dim, float* target, Work work) =>
        Multiply(rows, count, chunk, matrix, dim, dim, target, work);

    /// <summary>The transpose of a square matrix.</summary>
    public static float[] Transposed(float[] matrix, int dim)
    {
        var transposed = new float[dim * dim];
        for (int i = 0; i < dim; i++)
        {
            for (int j = 0; j < dim; j++)
            {
                transposed[j * dim + i] = matrix[i * dim + j];
            }
        }

        return transposed;
    }

    // sqrt(largest row sum * largest column sum) bounds the largest singular value.
    private static float[] ScaledBelowOne(float[] matrix, int dim)
    {
        var rowSums = new double[dim];
        var columnSums = new double[dim];
        for (int i = 0; i < matrix.Length; i++)
        {
            rowSums[i / dim] += Math.Abs(matrix[i]);
            columnSums[i % dim] += Math.Abs(matrix[i]);
        }

        double bound = Math.Sqrt(rowSums.Max() * columnSums.Max());
        return [.. matrix.Select(value => (float)(value / bound))];
    }

    private static double DistanceFromIdentity(float[] matrix, int dim)
    {
        double most = 0;
        for (int i = 0; i < matrix.Length; i++)
        {
            double off = Math.Abs(matrix[i] - (i / dim == i % dim ? 1.0 : 0.0));
            most = off <= most ? most : off; // a NaN is kept
            if (double.IsNaN(off))
            {
                return off;
            }
        }

        return most;
    }
}
