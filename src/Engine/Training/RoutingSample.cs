using Signpost.Engine.Vectors;

namespace Signpost.Engine.Training;

/// <summary>
/// What the sampling of one shard gave: queries, the vertices that anything refers to, routing decisions with their right answers,
/// positives and negatives. Complete in itself: a trainer needs neither the shard nor its graph. Immutable.
/// </summary>
/// <remarks>
/// Samples of several shards are kept as a list: the candidates of a decision are of one graph. A reference to a vertex is its row in
/// <see cref="Vectors"/>. Rows of varying length lie one after another; row i is [starts[i], starts[i + 1]). The arrays are not to be
/// written.
/// </remarks>
public sealed class RoutingSample
{
    /// <summary>Components of a vector.</summary>
    public required int Dim { get; init; }

    /// <summary>Metric of the collection. Rows are normalised under cosine.</summary>
    public required Metric Metric { get; init; }

    /// <summary>Version of the quantizer whose codes were walked on; 0: exact distances.</summary>
    public required uint QuantizerVersion { get; init; }

    /// <summary>Number of queries.</summary>
    public int QueryCount => Queries.Length / Dim;

    /// <summary>Number of different vertices.</summary>
    public int VertexCount => Vertices.Length;

    /// <summary>Number of routing decisions.</summary>
    public int RecordCount => RecordQueries.Length;

    /// <summary>Number of candidates of all decisions.</summary>
    public int CandidateCount => Candidates.Length;

    /// <summary>Shape: [queries, Dim].</summary>
    public required float[] Queries { get; init; }

    /// <summary>Ids in the shard, ascending.</summary>
    public required uint[] Vertices { get; init; }

    /// <summary>Shape: [vertices, Dim].</summary>
    public required float[] Vectors { get; init; }

    /// <summary>The query of each record, ascending.</summary>
    public required int[] RecordQueries { get; init; }

    /// <summary>Which hop of its walk each record is, from 0; ascending within a query.</summary>
    public required int[] RecordHops { get; init; }

    /// <summary>Hops of the walk of each record.</summary>
    public required int[] RecordLengths { get; init; }

    /// <summary>Where the candidates of each record start, and the end of the last.</summary>
    public required int[] CandidateStarts { get; init; }

    /// <summary>Vertices, those of a record in the order (distance, vertex) of the walk: the first is what the codes would choose.</summary>
    public required int[] Candidates { get; init; }

    /// <summary>True distance of each candidate to its query, in the metric.</summary>
    public required float[] Distances { get; init; }

    /// <summary>1 for a right choice, else 0; at least one of each record.</summary>
    public required byte[] IsRight { get; init; }

    /// <summary>Where the positives of each query start, and the end of the last.</summary>
    public required int[] PositiveStarts { get; init; }

    /// <summary>Vertices, nearest first.</summary>
    public required int[] Positives { get; init; }

    /// <summary>Where the negatives of each query start, and the end of the last.</summary>
    public required int[] NegativeStarts { get; init; }

    /// <summary>Vertices that the walk ranked high and that are no true neighbours, in its order.</summary>
    public required int[] Negatives { get; init; }

    /// <summary>The first thing that no sampling could give; null where there is none.</summary>
    internal string? Fault()
    {
        int queries = QueryCount, records = RecordCount;
        (bool Holds, string What)[] rules =
        [
            (Queries.Length % Dim == 0 && Vectors.LongLength == (long)VertexCount * Dim, "rows of another length"),
            (RecordHops.Length == records && RecordLengths.Length == records && CandidateStarts.Length == records + 1, "records of unequal number"),
            (Distances.Length == CandidateCount && IsRight.Length == CandidateCount, "candidates of unequal number"),
            (PositiveStarts.Length == queries + 1 && NegativeStarts.Length == queries + 1, "queries of unequal number"),
            (IsPartition(CandidateStarts, CandidateCount), "candidates that are not in rows"),
            (IsPartition(PositiveStarts, Positives.Length), "positives that are not in rows"),
            (IsPartition(NegativeStarts, Negatives.Length), "negatives that are not in rows"),
            (AreBelow(Candidates, VertexCount) && AreBelow(Positives, VertexCount) && AreBelow(Negatives, VertexCount), "a vertex that is not there"),
            (AreBelow(RecordQueries, queries) && RecordQueries.AsSpan().SequenceEqual([.. RecordQueries.Order()]), "a record out of the order of queries"),
            (AreAscending(Vertices), "vertices that do not ascend"),
            (AreFinite(Queries) && AreFinite(Vectors) && AreFinite(Distances), "a number that is not finite"),
        ];
        foreach ((bool holds, string what) in rules)
        {
            if (!holds)
            {
                return what;
            }
        }

        return Enumerable.Range(0, records).All(IsDecision) ? null : "a record without a right choice or beyond its walk";
    }

    private static bool IsPartition(int[] starts, int end)
    {
        bool ascends = starts.Length > 0 && starts[0] == 0 && starts[^1] == end;
        for (int i = 1; i < starts.Length && ascends; i++)
        {
            ascends = starts[i] >= starts[i - 1];
        }

        return ascends;
    }

    private static bool AreBelow(int[] values, int end) => values.Length == 0 || (end > 0 && !values.AsSpan().ContainsAnyExceptInRange(0, end - 1));

    private static bool AreFinite(float[] values) => Array.TrueForAll(values, float.IsFinite);

    private static bool AreAscending(uint[] values)
    {
        for (int i = 1; i < values.Length; i++)
        {
            if (values[i] <= values[i - 1])
            {
                return false;
            }
        }

        return true;
    }

    private bool IsDecision(int record)
    {
        ReadOnlySpan<byte> right = IsRight.AsSpan(CandidateStarts[record]..CandidateStarts[record + 1]);
        return right.Contains((byte)1) && !right.ContainsAnyExcept((byte)0, (byte)1)
            && RecordHops[record] >= 0 && RecordHops[record] < RecordLengths[record];
    }
}
