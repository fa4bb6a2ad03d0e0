using Signpost.Engine.Vectors;

namespace Signpost.Engine.Quantizers;

/// <summary>How a quantizer was learned; the values are those of the quantizer file.</summary>
public enum QuantizerKind : byte
{
    /// <summary>Product quantization (Jegou, Douze, Schmid 2011).</summary>
    Pq = 1,

    /// <summary>Optimized product quantization, non-parametric (Ge, He, Ke, Sun 2013).</summary>
    Opq = 2,

    /// <summary>Routing-guided learned product quantization (arXiv 2311.18724).</summary>
    Rpq = 3,
}

/// <summary>
/// Rotation + codebooks that turn a vector into M code numbers below K. Immutable and thread-safe; one is shared by every shard
/// of a collection, so that code distances are comparable across shards.
/// </summary>
/// <remarks>
/// A vector's dimension need not be a multiple of M: the last subspaces are then one shorter. Under <see cref="Metric.Cosine"/>
/// vectors and queries are normalised before they are rotated, and the distance is 1 - dot.
/// </remarks>
public interface IQuantizer : ITableCoder
{
    QuantizerKind Kind { get; }

    /// <summary>The metric that codes are learned for and tables are made for.</summary>
    Metric Metric { get; }

    /// <summary>Number that rises with every training of the collection; part of every segment and request.</summary>
    uint Version { get; }

    /// <summary>The vector that a code stands for, in the space before rotation (normalised under cosine).</summary>
    void Decode(ReadOnlySpan<byte> code, Span<float> vector);
}
