using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Training;

/// <summary>
/// What RPQ learns: codebooks, rotation and assignment temperatures. The arrays are changed in place by a training; see
/// <see cref="RpqModel"/> for what they mean.
/// </summary>
internal sealed class RpqParameters
{
    /// <summary>Parameters that share the given arrays.</summary>
    /// <param name="dim">Components of a vector.</param>
    /// <param name="m">Subspaces, 1 .. dim; dim need not be a multiple (<see cref="Subspaces"/>).</param>
    /// <param name="k">Codewords per subspace, 16 or 256.</param>
    /// <param name="codewords">The codebooks one after another, each of shape [k, width of its subspace]: k * dim floats.</param>
    /// <param name="rotation">R, orthonormal, shape [dim, dim], row-major; row j gives component j of R x.</param>
    /// <param name="logTemperatures">ln T, one of each subspace.</param>
    public RpqParameters(int dim, int m, int k, float[] codewords, float[] rotation, float[] logTemperatures)
    {
        Check.That(m >= 1 && m <= dim && k is 16 or 256);
        Check.That(codewords.Length == (long)k * dim && rotation.Length == (long)dim * dim && logTemperatures.Length == m);
        Dim = dim;
        M = m;
        K = k;
        Codewords = codewords;
        Rotation = rotation;
        LogTemperatures = logTemperatures;
    }

    /// <summary>Components of a vector.</summary>
    public int Dim { get; }

    /// <summary>Subspaces.</summary>
    public int M { get; }

    /// <summary>Codewords per subspace.</summary>
    public int K { get; }

    /// <summary>The codebooks one after another, each of shape [K, width of its subspace].</summary>
    public float[] Codewords { get; }

    /// <summary>R. Shape: [Dim, Dim], row-major.</summary>
    public float[] Rotation { get; }

    /// <summary>ln T. Shape: [M].</summary>
    public float[] LogTemperatures { get; }

    /// <summary>
    /// Copies of a quantizer's codebooks and rotation, which is square or, where it has none, the identity; every temperature is 1.
    /// </summary>
    public static RpqParameters Of(ProductQuantizer quantizer) => new(
        quantizer.Dim,
        quantizer.M,
        quantizer.K,
        quantizer.Codewords.ToArray(),
        quantizer.Rotation.IsEmpty ? Rotations.Identity(quantizer.Dim) : quantizer.Rotation.ToArray(),
        new float[quantizer.M]);

    /// <summary>The same values in arrays of its own.</summary>
    public RpqParameters Copy() =>
        new(Dim, M, K, [.. Codewords], [.. Rotation], [.. LogTemperatures]);

    /// <summary>The quantizer of these codebooks and this rotation; temperatures never change a code.</summary>
    public ProductQuantizer ToQuantizer(QuantizerKind kind, Metric metric, uint version) =>
        new(kind, metric, Dim, M, K, version, Codewords, Rotation);
}
