using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Support;

/// <summary>Small vector sets for tests, all from a seed, and the dull truth about them.</summary>
internal static unsafe class Sets
{
    /// <summary>A few clusters in a space of few true dimensions: like real vectors, unlike noise.</summary>
    public static VectorBlock Clustered(int count, int dim, ElementType type, ulong seed, ulong stream = 0)
    {
        const int clusters = 12;
        const int rank = 6;
        var shape = new Seeded(seed, 1_000_003);
        float[] axes = Fill(clusters * rank * dim, ref shape, 1.0);
        float[] centres = Fill(clusters * dim, ref shape, 2.0);
        var random = new Seeded(seed, stream);
        VectorBlock block = VectorBlock.Allocate(count, dim, type);
        var row = new float[dim];
        for (int i = 0; i < count; i++)
        {
            int cluster = random.Next(clusters);
            centres.AsSpan(cluster * dim, dim).CopyTo(row);
            for (int r = 0; r < rank; r++)
            {
                float along = (float)random.NextGaussian();
                for (int d = 0; d < dim; d++)
                {
                    row[d] += along * axes[(cluster * rank + r) * dim + d];
                }
            }

            for (int d = 0; d < dim; d++)
            {
                row[d] = type switch
                {
                    ElementType.UInt8 => Math.Clamp(128 + 12 * row[d], 0, 255),
                    ElementType.Int8 => Math.Clamp(12 * row[d], -128, 127),
                    _ => row[d],
                };
            }

            Check.That(Elements.FromFloat(row, type, new Span<byte>(block.Row(i), block.RowBytes)) is null);
        }

        return block;
    }

    /// <summary>The k nearest rows of each query, found one by one.</summary>
    public static uint[][] Truth(VectorBlock vectors, VectorBlock queries, Metric metric, int k) =>
        Enumerable.Range(0, (int)queries.Count).Select(q => Enumerable.Range(0, (int)vectors.Count)
            .Select(i => CandidateList.KeyOf(PairDistances.Between(metric, vectors.Type, queries.Row(q), vectors.Row(i), vectors.Dim), (uint)i))
            .Order().Take(k).Select(key => (uint)key >> 1).ToArray()).ToArray();

    /// <summary>Mean share of the true neighbours that were found.</summary>
    public static double Recall(IReadOnlyList<uint[]> found, IReadOnlyList<uint[]> truth) =>
        found.Zip(truth, (f, t) => (double)f.Intersect(t).Count() / t.Length).Average();

    private static float[] Fill(int count, ref Seeded random, double scale)
    {
        var values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (float)(scale * random.NextGaussian());
        }

        return values;
    }
}
