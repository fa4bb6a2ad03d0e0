using Signpost.Engine.Base;

namespace Signpost.Engine.Training;

/// <summary>Whose reconstruction error is learned from.</summary>
public enum ReconstructionOf
{
    /// <summary>The anchors, with <see cref="RpqLoss.AnchorNoise"/>.</summary>
    Anchors,

    /// <summary>The vertices, without noise: far more samples per step.</summary>
    Vertices,
}

/// <summary>The joint loss of RPQ: reconstruction, neighbourhood (triplets) and routing, each the mean over a batch.</summary>
public sealed record RpqLoss
{
    /// <summary>Weight of ||x - Q(x)||^2.</summary>
    public double Reconstruction { get; init; } = 1;

    /// <summary>Weight of max(0, margin + dhat(x, x+) - dhat(x, x-)).</summary>
    public double Neighbourhood { get; init; } = 0.1;

    /// <summary>Weight of the cross-entropy of routing decisions.</summary>
    public double Routing { get; init; } = 1;

    /// <summary>Margin of triplets, in squared distances.</summary>
    public double Margin { get; init; } = 0.1;

    /// <summary>Tr: a candidate is chosen with a probability proportional to exp(-dhat / Tr). In squared distances, above 0.</summary>
    public double RoutingTemperature { get; init; } = 0.05;

    /// <summary>Factor of the Gumbel noise on the anchors' assignments: 1, or 0 for none.</summary>
    public double AnchorNoise { get; init; } = 1;

    /// <summary>Whose reconstruction error counts.</summary>
    public ReconstructionOf ReconstructionOf { get; init; } = ReconstructionOf.Anchors;

    /// <summary>
    /// True: gradients also flow through the assignment probabilities, as if the hard codes were soft. False: only through codewords
    /// and queries; temperatures then do not learn.
    /// </summary>
    public bool StraightThrough { get; init; } = true;

    /// <summary>
    /// Codewords this far (in logits) behind the most probable one count as impossible: exp(-14) is below 1e-6. Infinity: none.
    /// </summary>
    public double SparseThreshold { get; init; } = 14;

    /// <summary>Seed of the noise.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Refuses settings out of range.</summary>
    internal void CheckRanges() => Check.That(
        Reconstruction >= 0 && Neighbourhood >= 0 && Routing >= 0 && RoutingTemperature > 0 && AnchorNoise >= 0 && SparseThreshold > 0);
}
