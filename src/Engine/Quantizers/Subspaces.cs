namespace Signpost.Engine.Quantizers;

/// <summary>How the components of a (rotated) vector are split: M contiguous ranges, the first dim % M of them one longer.</summary>
public static class Subspaces
{
    /// <summary>First component of subspace <paramref name="m"/>, m in [0, M]; that of M is <paramref name="dim"/>.</summary>
    public static int Offset(int dim, int subspaces, int m) => m * (dim / subspaces) + Math.Min(m, dim % subspaces);

    /// <summary>Components of subspace <paramref name="m"/>, m in [0, M).</summary>
    public static int Width(int dim, int subspaces, int m) => dim / subspaces + (m < dim % subspaces ? 1 : 0);
}
