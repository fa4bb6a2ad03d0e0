using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Quantizers;

/// <summary>How codes are fitted to the neighbourhoods of their vertices; see <see cref="RoutingProductQuantizer.Refine"/>.</summary>
/// <param name="Isotropy">
/// Weight of the squared error of the vector itself beside that of its distances, above 0. 0.15 found most on three kinds of
/// data; from 0.6 on little is left of the gain, far below it codes fit their neighbours and nothing else.
/// </param>
/// <param name="Sweeps">Times every subspace of a code is chosen again, 1 .. 16. 2: a third one changes few codes.</param>
public sealed record Refinement(float Isotropy = 0.15f, int Sweeps = 2);

/// <summary>Writes the out-neighbours of <paramref name="vertex"/> to <paramref name="ids"/> and says how many there are.</summary>
public delegate int NeighboursOf(uint vertex, Span<uint> ids);

/// <summary>
/// A routing-guided product quantizer (RPQ; Yue and others, "Routing-Guided Learned Product Quantization for Graph-Based
/// Approximate Nearest Neighbor Search", ICDE 2024): rotation and codebooks as of PQ and OPQ, learned from routing decisions, and
/// codes that are chosen for the walk too.
/// </summary>
/// <remarks>
/// A search meets a vertex from its neighbourhood, so the distances that its code must get right are those to vectors near it.
/// PQ chooses each codeword by the error of the vector, which treats all directions alike. <see cref="Refine"/> chooses them by the
/// error of the distances from the vertex' neighbours in the graph. Tables, distances and the walk are those of PQ.
/// </remarks>
public sealed unsafe class RoutingProductQuantizer : IQuantizer
{
    private readonly CodeRefiner? _refiner;

    /// <summary>The quantizer of these parameters.</summary>
    /// <param name="parameters">Rotation and codebooks.</param>
    /// <param name="refinement">How codes are fitted to neighbourhoods; null: not at all, as the paper has it.</param>
    public RoutingProductQuantizer(ProductQuantizer parameters, Refinement? refinement)
    {
        Check.That(parameters.Kind == QuantizerKind.Rpq);
        Check.That(refinement is null || (refinement.Isotropy > 0 && float.IsFinite(refinement.Isotropy) && refinement.Sweeps is >= 1 and <= 16));
        Parameters = parameters;
        Refinement = refinement;
        _refiner = refinement is null ? null : new CodeRefiner(parameters, refinement);
    }

    /// <summary>Rotation and codebooks.</summary>
    public ProductQuantizer Parameters { get; }

    /// <summary>How codes are fitted to neighbourhoods; null: not at all.</summary>
    public Refinement? Refinement { get; }

    /// <inheritdoc/>
    public QuantizerKind Kind => Parameters.Kind;

    /// <inheritdoc/>
    public Metric Metric => Parameters.Metric;

    /// <inheritdoc/>
    public int Dim => Parameters.Dim;

    /// <inheritdoc/>
    public int M => Parameters.M;

    /// <inheritdoc/>
    public int K => Parameters.K;

    /// <inheritdoc/>
    public int CodeBytes => Parameters.CodeBytes;

    /// <inheritdoc/>
    public uint Version => Parameters.Version;

    /// <inheritdoc/>
    public void Encode(VectorBlock vectors, long from, int count, byte* codes) => Parameters.Encode(vectors, from, count, codes);

    /// <inheritdoc/>
    public void BuildTable(ReadOnlySpan<float> query, Span<float> table) => Parameters.BuildTable(query, table);

    /// <inheritdoc/>
    public void Decode(ReadOnlySpan<byte> code, Span<float> vector) => Parameters.Decode(code, vector);

    /// <summary>
    /// Chooses the codes of rows [from, from + count) again, so that code distances from a vertex' neighbours come near the true ones.
    /// Each vertex is refined by vectors alone, so the result does not depend on the order or on threads. Thread-safe. Does nothing
    /// without a <see cref="Refinement"/>.
    /// </summary>
    /// <param name="vectors">All vectors of the shard; row i belongs to vertex i.</param>
    /// <param name="from">First row.</param>
    /// <param name="count">Rows.</param>
    /// <param name="neighbours">The graph.</param>
    /// <param name="mostNeighbours">Most neighbours of a vertex (R).</param>
    /// <param name="codes">Codes of these rows as <see cref="Encode"/> made them, consecutive; changed in place.</param>
    public void Refine(VectorBlock vectors, long from, int count, NeighboursOf neighbours, int mostNeighbours, byte* codes)
    {
        Check.That(vectors.Dim == Dim && from >= 0 && count >= 0 && from + count <= vectors.Count);
        _refiner?.Refine(vectors, from, count, neighbours, mostNeighbours, codes);
    }
}
