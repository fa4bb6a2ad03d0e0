using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Training;

/// <summary>Queries that are walked on one shard.</summary>
public sealed class QuerySet : IDisposable
{
    /// <summary>In <see cref="Own"/>: the query is not a vector of the shard.</summary>
    public const uint Outside = uint.MaxValue;

    private readonly uint[] _own;

    /// <summary>Takes <paramref name="vectors"/> over; <paramref name="own"/> has one entry for each.</summary>
    public QuerySet(VectorBlock vectors, uint[] own)
    {
        Check.That(vectors.Count == own.Length);
        Vectors = vectors;
        _own = own;
    }

    /// <summary>The queries, in the element type of the collection.</summary>
    public VectorBlock Vectors { get; }

    /// <summary>
    /// The vertex of the shard that each query is, or <see cref="Outside"/>. A walk for a query goes as if its own vertex were not there,
    /// and the vertex is never its own answer.
    /// </summary>
    public ReadOnlySpan<uint> Own => _own;

    /// <summary>Number of queries.</summary>
    public int Count => _own.Length;

    /// <inheritdoc/>
    public void Dispose() => Vectors.Dispose();
}
