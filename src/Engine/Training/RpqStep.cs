namespace Signpost.Engine.Training;

/// <summary>
/// Losses of a batch and the gradient of their weighted sum. Belongs to a <see cref="RpqModel"/>, whose next step overwrites it.
/// </summary>
internal sealed class RpqStep(int dim, int m, int k)
{
    /// <summary>Mean squared reconstruction error, not weighted.</summary>
    public double Reconstruction { get; set; }

    /// <summary>Mean triplet loss, not weighted.</summary>
    public double Neighbourhood { get; set; }

    /// <summary>Mean routing loss, not weighted.</summary>
    public double Routing { get; set; }

    /// <summary>Weighted sum of the three.</summary>
    public double Total { get; set; }

    /// <summary>Share of the records whose nearest candidate by code distance is acceptable; 0 without records.</summary>
    public double Agreement { get; set; }

    /// <summary>dL/dc, in the layout of <see cref="RpqParameters.Codewords"/>.</summary>
    public float[] Codewords { get; } = new float[k * dim];

    /// <summary>G = dL/dR, the Euclidean gradient. Shape: [dim, dim], row-major.</summary>
    public float[] Rotation { get; } = new float[dim * dim];

    /// <summary>dL/d ln T. Shape: [M].</summary>
    public float[] LogTemperatures { get; } = new float[m];
}
