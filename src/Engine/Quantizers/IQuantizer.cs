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
/// Code layout: K = 256: M bytes. K = 16: ceil(M / 2) bytes, the even subspace in the low nibble.
/// Under <see cref="Metric.Cosine"/> vectors and queries are normalised before they are rotated, and the distance is 1 - dot.
/// </remarks>
public unsafe interface IQuantizer
{
    QuantizerKind Kind { get; }

    /// <summary>The metric that codes are learned for and tables are made for.</summary>
    Metric Metric { get; }

    /// <summary>Dimensions of a vector; need not be a multiple of M (the last subspaces are then one shorter).</summary>
    int Dim { get; }

    /// <summary>Number of subspaces.</summary>
    int M { get; }

    /// <summary>Codewords per subspace: 256 or 16.</summary>
    int K { get; }

    /// <summary>Bytes of one code.</summary>
    int CodeBytes { get; }

    /// <summary>Number that rises with every training of the collection; part of every segment and request.</summary>
    uint Version { get; }

    /// <summary>Encodes rows [from, from + count) of <paramref name="vectors"/> to consecutive codes. Thread-safe.</summary>
    void Encode(VectorBlock vectors, long from, int count, byte* codes);

    /// <summary>
    /// The look-up table of a query. Shape: [M, K], row-major; the distance of a code is the sum of one entry per subspace.
    /// </summary>
    void BuildTable(ReadOnlySpan<float> query, Span<float> table);

    /// <summary>The vector that a code stands for, in the space before rotation (normalised under cosine).</summary>
    void Decode(ReadOnlySpan<byte> code, Span<float> vector);
}
