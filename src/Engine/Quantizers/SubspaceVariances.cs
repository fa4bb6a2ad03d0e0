using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Quantizers;

/// <summary>
/// How a quantizer's subspaces share what vectors differ in. Without a rotation the shares are those that the vectors come with; what a rotation
/// does to them is what RPQ's "adaptive vector decomposition" is for (Yue and others, section IV).
/// </summary>
public static unsafe class SubspaceVariances
{
    private const int BatchRows = 256;

    /// <summary>Variance of the vectors, normalised under cosine, in every subspace after the rotation.</summary>
    /// <param name="quantizer">Its rotation and subspaces.</param>
    /// <param name="vectors">At least one.</param>
    /// <returns>Sum over the components of a subspace of their variances, in units of squared distance. Shape: [M].</returns>
    public static double[] Of(IQuantizer quantizer, VectorBlock vectors)
    {
        ProductQuantizer parameters = quantizer is RoutingProductQuantizer routing ? routing.Parameters : (ProductQuantizer)quantizer;
        Check.That(vectors.Count > 0 && vectors.Dim == parameters.Dim);
        int dim = parameters.RotatedDim;
        double[] sums = new double[dim], squares = new double[dim];
        float[] rows = new float[BatchRows * parameters.Dim], rotated = new float[BatchRows * dim];
        fixed (float* source = rows)
        fixed (float* target = rotated)
        {
            for (long from = 0; from < vectors.Count; from += BatchRows)
            {
                int count = (int)Math.Min(BatchRows, vectors.Count - from);
                FloatRows.Read(vectors, from, count, parameters.Metric, source);
                parameters.RotateToColumns(source, count, target);
                for (int i = 0; i < dim * count; i++)
                {
                    sums[i / count] += target[i];
                    squares[i / count] += (double)target[i] * target[i];
                }
            }
        }

        double all = vectors.Count;
        var variances = new double[parameters.M];
        for (int m = 0; m < variances.Length; m++)
        {
            for (int d = Subspaces.Offset(dim, parameters.M, m); d < Subspaces.Offset(dim, parameters.M, m + 1); d++)
            {
                variances[m] += (squares[d] / all) - (sums[d] / all * (sums[d] / all));
            }
        }

        return variances;
    }
}
