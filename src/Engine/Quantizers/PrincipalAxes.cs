using Signpost.Engine.Base;

namespace Signpost.Engine.Quantizers;

/// <summary>
/// The directions with the largest second moments: orthogonal iteration (Golub, Van Loan, "Matrix computations", 7.3.2). Moments are
/// about zero and not about the mean, as codes are: what is left out of a vector is then as short as it can be.
/// </summary>
internal static unsafe class PrincipalAxes
{
    private const int MostRows = 8192;
    private const int Iterations = 30; // the directions of nearly equal moments at the edge may still be mixed, which loses nothing
    private const int ChunkRows = 64;
    private const double Vanished = 1e-8; // of a squared length: float32 leaves some 1e-13 of a row that lies in others

    /// <summary>Orthonormal rows that span the directions. Shape: [kept, dim], row-major.</summary>
    /// <param name="rows">At most the first 8,192 are looked at.</param>
    /// <param name="kept">Directions, 1 .. dim.</param>
    /// <param name="seed">Of the first guess.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    public static float[] Of(FloatRows rows, int kept, ulong seed, Work work)
    {
        int dim = rows.Dim;
        Check.That(kept >= 1 && kept <= dim);
        float[] moments = Moments(rows, work.Silent());
        var random = new Seeded(seed, RandomStreams.Axes);
        var axes = new float[kept * dim];
        for (int i = 0; i < axes.Length; i++)
        {
            axes[i] = (float)random.NextGaussian();
        }

        Orthonormalise(axes, dim);
        var turned = new float[axes.Length];
        for (int i = 0; i < Iterations; i++)
        {
            work.Cancel.ThrowIfCancellationRequested();
            Rotations.Multiply(axes, kept, moments, dim, dim, turned, work.Silent()); // the matrix of moments is its own transpose
            Orthonormalise(turned, dim);
            (axes, turned) = (turned, axes);
            work.Report(new PhaseProgress("find axes", i + 1, Iterations, TimeSpan.Zero));
        }

        return axes;
    }

    /// <summary>Mean of x x^T. Shape: [dim, dim].</summary>
    private static float[] Moments(FloatRows rows, Work work)
    {
        int dim = rows.Dim;
        int count = Math.Min(rows.Count, MostRows);
        var columns = new float[dim * count];
        for (int i = 0; i < count; i++)
        {
            for (int d = 0; d < dim; d++)
            {
                columns[d * count + i] = rows.Row(i)[d] / count;
            }
        }

        var moments = new float[dim * dim];
        Rotations.Multiply(columns, dim, columns, dim, count, moments, work);
        return moments;
    }

    /// <summary>
    /// Gram-Schmidt, twice, as once is not enough for nearly parallel rows. Of a row that lies in those before it nothing but rounding is left, as where the
    /// vectors have fewer directions than are kept: it becomes a direction that they do not have.
    /// </summary>
    private static void Orthonormalise(float[] axes, int dim)
    {
        for (int i = 0; i < axes.Length / dim; i++)
        {
            Span<float> row = axes.AsSpan(i * dim, dim);
            double before = Dot(row, row);
            TakeOff(axes, i, row);
            if (!(Dot(row, row) > Vanished * before))
            {
                row.Clear();
                row[LeastCovered(axes, i, dim)] = 1;
                TakeOff(axes, i, row);
            }

            FloatRows.Normalise(row);
        }
    }

    /// <summary>Takes off <paramref name="row"/> what lies in the first <paramref name="count"/> rows, which are orthonormal.</summary>
    private static void TakeOff(float[] axes, int count, Span<float> row)
    {
        for (int j = 0; j < 2 * count; j++)
        {
            ReadOnlySpan<float> other = axes.AsSpan(j % count * row.Length, row.Length);
            AddScaled(row, -Dot(row, other), other);
        }
    }

    /// <summary>The component of which the first <paramref name="count"/> rows hold least: at least (dim - count) / dim of its square is left.</summary>
    private static int LeastCovered(float[] axes, int count, int dim)
    {
        int least = 0;
        double fewest = double.PositiveInfinity;
        for (int d = 0; d < dim; d++)
        {
            double held = 0;
            for (int j = 0; j < count; j++)
            {
                held += axes[j * dim + d] * (double)axes[j * dim + d];
            }

            (least, fewest) = held < fewest ? (d, held) : (least, fewest);
        }

        return least;
    }

    private static float Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        double sum = 0;
        for (int d = 0; d < x.Length; d++)
        {
            sum += (double)x[d] * y[d];
        }

        return (float)sum;
    }

    private static void AddScaled(Span<float> target, float scale, ReadOnlySpan<float> source)
    {
        for (int d = 0; d < target.Length; d++)
        {
            target[d] += scale * source[d];
        }
    }
}
