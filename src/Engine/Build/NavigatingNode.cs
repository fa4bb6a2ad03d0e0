using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Build;

/// <summary>Where every search begins: the vertex nearest to the mean of all vectors.</summary>
internal static unsafe class NavigatingNode
{
    private const int Chunk = 4096;

    /// <summary>Ties to the lower vertex. The mean is rounded to the element type.</summary>
    public static uint Of(BuildSpace space, Work work)
    {
        VectorBlock vectors = space.Vectors;
        int chunks = (space.Count + Chunk - 1) / Chunk;
        var sums = new double[chunks][]; // added in order, so that the mean does not depend on the threads
        work.For("centroid", space.Count, Chunk, (from, to, _) =>
        {
            var row = new float[vectors.Dim];
            double[] sum = sums[from / Chunk] = new double[vectors.Dim];
            for (long v = from; v < to; v++)
            {
                vectors.CopyRow(v, row);
                for (int d = 0; d < row.Length; d++)
                {
                    sum[d] += row[d];
                }
            }
        });

        var mean = new float[vectors.Dim];
        for (int d = 0; d < mean.Length; d++)
        {
            mean[d] = (float)(sums.Sum(s => s[d]) / space.Count);
        }

        using VectorBlock centroid = VectorBlock.Allocate(1, vectors.Dim, vectors.Type);
        Check.That(Elements.FromFloat(mean, vectors.Type, new Span<byte>(centroid.First, vectors.RowBytes)) is null);
        var nearest = new (float Distance, int Vertex)[chunks];
        work.For("navigating node", space.Count, Chunk, (from, to, _) =>
        {
            (float Distance, int Vertex) best = (float.PositiveInfinity, (int)from);
            for (int v = (int)from; v < to; v++)
            {
                float distance = PairDistances.Between(Metric.L2, vectors.Type, centroid.First, vectors.Row(v), vectors.Dim);
                best = distance < best.Distance ? (distance, v) : best;
            }

            nearest[from / Chunk] = best;
        });
        return (uint)nearest.Min().Vertex;
    }
}
