using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Training;

/// <summary>
/// Leaves out the directions in which the codewords of a start hardly differ. A code says nothing about them, and what they add to a
/// distance is nearly the same for all codes; without them a query is rotated and its table made in a fraction of the time.
/// </summary>
internal static class CodewordAxes
{
    /// <summary>A share that loses nothing: directions beyond are noise of float32.</summary>
    public const double AllButRounding = 1 - 1e-7;

    /// <summary>
    /// The start in the space of the directions kept: of every subspace equally many, those in which its codewords differ most. The
    /// rotation of <paramref name="start"/> becomes part of the axes, and learning goes on from the identity.
    /// </summary>
    /// <param name="space">With all components.</param>
    /// <param name="start">Of that space.</param>
    /// <param name="rotatedDim">Directions to keep, at least M, rounded down to a multiple of M; 0: as <paramref name="share"/> says.</param>
    /// <param name="share">Share of the codewords' variance that must be kept, 0 .. 1, where <paramref name="rotatedDim"/> is 0.</param>
    /// <param name="work">Threads.</param>
    /// <returns>The arguments as they are where nothing is left out.</returns>
    public static (RpqSpace Space, RpqParameters Start) Reduce(RpqSpace space, RpqParameters start, int rotatedDim, double share, Work work)
    {
        Check.That(space.Axes.Length == 0 && start.Dim == space.Dim);
        if (rotatedDim >= start.Dim)
        {
            return (space, start);
        }

        float[][] axes = [.. Enumerable.Range(0, start.M).Select(m => AxesOf(start, m, work))];
        int width = rotatedDim > 0 ? Math.Min(rotatedDim / start.M, WidthFor(start, axes, AllButRounding)) : WidthFor(start, axes, share);
        if (width * start.M >= start.Dim)
        {
            return (space, start);
        }

        int dim = start.Dim;
        var all = new float[width * start.M * dim];
        var codewords = new float[start.K * width * start.M];
        for (int m = 0; m < start.M; m++)
        {
            int offset = Subspaces.Offset(dim, start.M, m), part = Subspaces.Width(dim, start.M, m);
            ReadOnlySpan<float> codebook = start.Codewords.AsSpan(start.K * offset, start.K * part);
            for (int a = 0; a < width; a++)
            {
                ReadOnlySpan<float> axis = axes[m].AsSpan(a * part, part);
                Span<float> row = all.AsSpan(((m * width) + a) * dim, dim);
                for (int i = 0; i < part; i++)
                {
                    AddScaled(row, axis[i], start.Rotation.AsSpan((offset + i) * dim, dim));
                }

                for (int k = 0; k < start.K; k++)
                {
                    codewords[(start.K * m * width) + (k * width) + a] = Dot(axis, codebook.Slice(k * part, part));
                }
            }
        }

        var reduced = new RpqParameters(
            width * start.M, start.M, start.K, codewords, Rotations.Identity(width * start.M), [.. start.LogTemperatures]);
        return (new RpqSpace(dim, space.Scale, all), reduced);
    }

    /// <summary>All directions of a subspace, those first in which its codewords differ most. Shape: [width, width of the subspace].</summary>
    private static unsafe float[] AxesOf(RpqParameters start, int m, Work work)
    {
        using FloatRows centred = Centred(start, m);
        return PrincipalAxes.Of(centred, centred.Dim, 1, work.Silent());
    }

    private static unsafe FloatRows Centred(RpqParameters start, int m)
    {
        int part = Subspaces.Width(start.Dim, start.M, m);
        ReadOnlySpan<float> codebook = start.Codewords.AsSpan(start.K * Subspaces.Offset(start.Dim, start.M, m), start.K * part);
        var rows = new FloatRows(start.K, part);
        for (int d = 0; d < part; d++)
        {
            double mean = 0;
            for (int k = 0; k < start.K; k++)
            {
                mean += codebook[(k * part) + d] / (double)start.K;
            }

            for (int k = 0; k < start.K; k++)
            {
                rows.Row(k)[d] = (float)(codebook[(k * part) + d] - mean);
            }
        }

        return rows;
    }

    /// <summary>Fewest directions of each subspace that together hold <paramref name="share"/> of the variance of all codewords.</summary>
    private static unsafe int WidthFor(RpqParameters start, float[][] axes, double share)
    {
        int most = Subspaces.Width(start.Dim, start.M, start.M - 1); // the narrowest
        var held = new double[Subspaces.Width(start.Dim, start.M, 0)];
        double all = 0;
        for (int m = 0; m < start.M; m++)
        {
            using FloatRows centred = Centred(start, m);
            for (int i = 0; i < centred.Count * centred.Dim; i++)
            {
                int axis = i % centred.Dim;
                double along = Dot(axes[m].AsSpan(axis * centred.Dim, centred.Dim), new ReadOnlySpan<float>(centred.Row(i / centred.Dim), centred.Dim));
                held[axis] += along * along;
                all += centred.First[i] * (double)centred.First[i];
            }
        }

        double wanted = share * all, sum = 0;
        for (int width = 0; width < most; width++)
        {
            sum += held[width];
            if (sum >= wanted)
            {
                return width + 1;
            }
        }

        return held.Length; // no fewer than all
    }

    private static float Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        double sum = 0;
        for (int i = 0; i < x.Length; i++)
        {
            sum += (double)x[i] * y[i];
        }

        return (float)sum;
    }

    private static void AddScaled(Span<float> target, float scale, ReadOnlySpan<float> source)
    {
        for (int i = 0; i < target.Length; i++)
        {
            target[i] += scale * source[i];
        }
    }
}
