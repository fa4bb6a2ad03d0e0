using Signpost.Engine.Base;

namespace Signpost.Engine.Quantizers;

/// <summary>Learns the codebooks of a product quantizer: one k-means for each subspace of the (rotated) rows.</summary>
internal static class Codebooks
{
    /// <summary>Codebooks learned from the beginning, subspaces side by side on the threads of <paramref name="work"/>.</summary>
    /// <returns>The codebooks one after another, each of shape [K, width of its subspace].</returns>
    public static float[] Train(FloatRows rows, QuantizerOptions options, Work work)
    {
        var settings = new KMeansOptions { Iterations = options.Iterations, Seed = options.Seed };
        var codewords = new float[(long)options.K * rows.Dim];
        ForEachSubspace("learn codebooks", rows, options, codewords, work, (m, columns, codebook, one) =>
        {
            var random = new Seeded(options.Seed, RandomStreams.Subspace + (ulong)m);
            KMeans.Train(columns, options.K, settings, random, one).Centroids.CopyTo(codebook);
        });
        return codewords;
    }

    /// <summary>Improves <paramref name="codewords"/> in place by Lloyd's iteration.</summary>
    /// <param name="rows">Rotated rows.</param>
    /// <param name="options">M and K.</param>
    /// <param name="codewords">As <see cref="Train"/> returns them.</param>
    /// <param name="iterations">Most rounds.</param>
    /// <param name="work">Threads.</param>
    /// <param name="finished">Told each subspace and its Lloyd with the final labels; from several threads.</param>
    /// <returns>Sum of squared distances of rows to their codewords.</returns>
    public static double Refine(
        FloatRows rows, QuantizerOptions options, float[] codewords, int iterations, Work work, Action<int, Lloyd>? finished = null)
    {
        var objectives = new double[options.M];
        ForEachSubspace("refine codebooks", rows, options, codewords, work, (m, columns, codebook, one) =>
        {
            using var lloyd = new Lloyd(columns, codebook.ToArray(), options.K);
            objectives[m] = lloyd.Run(iterations, 1e-4, one)[^1];
            lloyd.Centroids.CopyTo(codebook);
            finished?.Invoke(m, lloyd);
        });
        return objectives.Sum();
    }

    private delegate void SubspaceBody(int m, FloatRows columns, Span<float> codebook, Work oneThread);

    private static void ForEachSubspace(
        string phase, FloatRows rows, QuantizerOptions options, float[] codewords, Work work, SubspaceBody body)
    {
        var one = new Work(1, null, work.Cancel);
        work.For(phase, options.M, 1, (from, to, _) =>
        {
            for (int m = (int)from; m < to; m++)
            {
                int offset = Subspaces.Offset(rows.Dim, options.M, m);
                int width = Subspaces.Width(rows.Dim, options.M, m);
                using FloatRows columns = rows.Columns(offset, width);
                body(m, columns, codewords.AsSpan(options.K * offset, options.K * width), one);
            }
        });
    }
}
