using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Training;

/// <summary>
/// The space that RPQ is learned in: vectors, normalised under cosine, projected onto axes and scaled to a mean length of 1, so that
/// temperatures and margins mean the same for all data. Immutable.
/// </summary>
/// <param name="dim">Components of a vector.</param>
/// <param name="scale">Factor, above 0.</param>
/// <param name="axes">Orthonormal rows, shape [width, dim]; empty: all components as they are.</param>
internal sealed unsafe class RpqSpace(int dim, float scale, float[] axes)
{
    private const int ChunkRows = 1024;

    /// <summary>Components of a vector.</summary>
    public int Dim => dim;

    /// <summary>Components of a row in this space.</summary>
    public int Width { get; } = axes.Length == 0 ? dim : axes.Length / dim;

    /// <summary>Factor.</summary>
    public float Scale => scale;

    /// <summary>Shape: [Width, Dim]; empty: all components as they are.</summary>
    public float[] Axes => axes;

    /// <summary>The space of all components of <paramref name="rows"/>, which stand for all vectors.</summary>
    public static RpqSpace Of(FloatRows rows)
    {
        double lengths = 0;
        for (int i = 0; i < rows.Count; i++)
        {
            double squares = 0;
            for (int d = 0; d < rows.Dim; d++)
            {
                squares += (double)rows.Row(i)[d] * rows.Row(i)[d];
            }

            lengths += Math.Sqrt(squares);
        }

        float mean = (float)(lengths / rows.Count);
        return new RpqSpace(rows.Dim, mean > 0 ? 1 / mean : 1, []);
    }

    /// <summary>Rows of vectors in this space. Shape: [rows, Width].</summary>
    /// <param name="vectors">Shape: [rows, Dim], normalised under cosine.</param>
    /// <param name="work">Threads.</param>
    public FloatRows Take(float[] vectors, Work work)
    {
        fixed (float* first = vectors)
        {
            return Take(first, vectors.Length / dim, work);
        }
    }

    /// <summary>As the other.</summary>
    public FloatRows Take(float* vectors, int count, Work work)
    {
        var rows = new FloatRows(count, Width);
        if (axes.Length > 0)
        {
            Rotations.Multiply(vectors, count, ChunkRows, axes, Width, dim, rows.First, work.Silent());
        }

        float* source = axes.Length > 0 ? rows.First : vectors;
        work.Silent().For("scale", count, ChunkRows, (from, to, _) =>
        {
            for (long i = from * Width; i < to * Width; i++)
            {
                rows.First[i] = source[i] * scale;
            }
        });
        return rows;
    }

    /// <summary>The quantizer of vectors that these parameters are in this space.</summary>
    public RoutingProductQuantizer ToQuantizer(RpqParameters parameters, Metric metric, uint version, Refinement? refinement, Work work)
    {
        Check.That(parameters.Dim == Width);
        float[] codewords = [.. parameters.Codewords.Select(value => value / scale)];
        float[] rotation = parameters.Rotation;
        if (axes.Length > 0)
        {
            rotation = new float[axes.Length];
            Rotations.Multiply(parameters.Rotation, Width, TransposedAxes(), dim, Width, rotation, work.Silent());
        }

        var quantizer = new ProductQuantizer(
            QuantizerKind.Rpq, metric, dim, parameters.M, parameters.K, version, codewords, rotation);
        return new RoutingProductQuantizer(quantizer, refinement);
    }

    private float[] TransposedAxes()
    {
        var transposed = new float[axes.Length];
        for (int i = 0; i < axes.Length; i++)
        {
            transposed[i % dim * Width + i / dim] = axes[i];
        }

        return transposed;
    }
}
