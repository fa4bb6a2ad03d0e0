using System.Diagnostics;
using System.Numerics;
using Signpost.Engine.Base;

namespace Signpost.Engine.Quantizers;

/// <summary>
/// Learns the rotation of optimized product quantization, the non-parametric solution (Ge, He, Ke, Sun, "Optimized product
/// quantization", 2013/2014). The result is a <see cref="ProductQuantizer"/> of kind <see cref="QuantizerKind.Opq"/>.
/// </summary>
/// <remarks>
/// Two steps alternate, and neither raises the squared error: with the rotation fixed, one round of k-means per subspace; with the
/// codes and codebooks fixed, the rotation that brings the vectors X nearest to what their codes decode to, Y: the polar factor of
/// Y^T X.
///
/// Deviations from the paper. It starts from no rotation. Measured at M = 16 against a start from principal axes dealt out to
/// subspaces by the product of their variances (the paper's parametric solution), the final error was 9,189 against 13,068 on
/// siftsmall, 407 k against 541 k on 10,000 vectors of MNIST and 0.167 against 0.189 on doclsa: the components of images and text
/// come in an order that suits contiguous subspaces, and the alternation does not find back to it. And Y^T X is pulled a little
/// toward the present rotation, which decides the directions that the data leaves open (pixels that are always zero).
/// </remarks>
internal static unsafe class OptimizedProductQuantizer
{
    private const int FirstIterations = 10;
    private const int IterationsPerRotation = 1;

    // Pull toward the present rotation, as a share of the mean singular value: directions with less than this in them are not turned.
    private const double Pull = 1e-3;

    /// <summary>Learns from <paramref name="rows"/>.</summary>
    /// <returns>Codebooks as <see cref="Codebooks.Train"/> returns them, and the rotation, shape [dim, dim].</returns>
    public static (float[] Codewords, float[] Rotation) Train(FloatRows rows, QuantizerOptions options, Work work)
    {
        var silent = new Work(work.Threads, null, work.Cancel);
        float[] rotation = Rotations.Identity(rows.Dim);
        using var rotated = new FloatRows(rows.Count, rows.Dim);
        Rotations.Apply(rotation, rows, rotated, silent);
        float[] codewords = Codebooks.Train(rotated, options with { Iterations = FirstIterations }, work);
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; round < options.Rotations; round++)
        {
            rotation = Turn(rows, rotated, rotation, codewords, options, silent);
            Rotations.Apply(rotation, rows, rotated, silent);
            work.Report(new PhaseProgress("learn rotation", round + 1, options.Rotations, Stopwatch.GetElapsedTime(start)));
        }

        Codebooks.Refine(rotated, options, codewords, options.Iterations, work);
        return (codewords, rotation);
    }

    // Improves the codebooks, then returns the best rotation for them.
    private static float[] Turn(
        FloatRows rows, FloatRows rotated, float[] rotation, float[] codewords, QuantizerOptions options, Work work)
    {
        int dim = rows.Dim;
        var cross = new float[dim * dim]; // Y^T X
        Codebooks.Refine(rotated, options, codewords, IterationsPerRotation, work, (m, lloyd) =>
        {
            int offset = Subspaces.Offset(dim, options.M, m);
            int width = Subspaces.Width(dim, options.M, m);
            AddCross(lloyd, options.K, rows, cross.AsSpan(offset * dim, width * dim));
        });
        double trace = 0; // of Y^T X R^T: the sum of the singular values once R has settled
        for (int i = 0; i < cross.Length; i++)
        {
            trace += (double)cross[i] * rotation[i];
        }

        AddScaled(cross, (float)(Pull * trace / dim), rotation);
        return Rotations.PolarFactor(cross, dim, work) ?? rotation;
    }

    /// <summary>
    /// Rows of Y^T X that belong to one subspace: rows of X are first summed by their codeword, so that this costs an addition per
    /// component of X and not a product of matrices.
    /// </summary>
    private static void AddCross(Lloyd lloyd, int k, FloatRows rows, Span<float> cross)
    {
        int dim = rows.Dim;
        int width = cross.Length / dim;
        var sums = new float[k * dim];
        for (int i = 0; i < rows.Count; i++)
        {
            AddScaled(sums.AsSpan(lloyd.Labels[i] * dim, dim), 1f, new ReadOnlySpan<float>(rows.Row(i), dim));
        }

        for (int i = 0; i < k * width; i++)
        {
            AddScaled(cross.Slice(i % width * dim, dim), lloyd.Centroids[i], sums.AsSpan(i / width * dim, dim));
        }
    }

    private static void AddScaled(Span<float> target, float scale, ReadOnlySpan<float> source)
    {
        int i = 0;
        var factor = new Vector<float>(scale);
        for (; i <= target.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            (new Vector<float>(target[i..]) + factor * new Vector<float>(source[i..])).CopyTo(target[i..]);
        }

        for (; i < target.Length; i++)
        {
            target[i] += scale * source[i];
        }
    }
}
