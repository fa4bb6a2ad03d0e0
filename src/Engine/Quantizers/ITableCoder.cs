using Signpost.Engine.Vectors;

namespace Signpost.Engine.Quantizers;

/// <summary>
/// Turns a vector into a code of M numbers below K, and a query into a table from which the distance of a code is summed: all that a
/// walk on codes needs to know. Immutable and thread-safe.
/// </summary>
/// <remarks>
/// Code layout: K = 256: M bytes. K = 16: ceil(M / 2) bytes, the even number in the low nibble. Where <see cref="HasFactors"/>, two
/// float32 follow, offset and scale, without alignment.
/// </remarks>
public unsafe interface ITableCoder
{
    /// <summary>Components of a vector.</summary>
    int Dim { get; }

    /// <summary>Numbers of a code.</summary>
    int M { get; }

    /// <summary>Values that a number has: 256 or 16.</summary>
    int K { get; }

    /// <summary>Bytes of one code, factors included.</summary>
    int CodeBytes { get; }

    /// <summary>
    /// False: the distance of a code is the sum of one table entry per number. True: it is offset + scale * sum + the last entry of the
    /// table, with an offset and a scale of each code's own.
    /// </summary>
    bool HasFactors => false;

    /// <summary>Entries of a look-up table: M * K, and one that all distances of the query have in common where there are factors.</summary>
    int TableLength => (M * K) + (HasFactors ? 1 : 0);

    /// <summary>Encodes rows [from, from + count) of <paramref name="vectors"/> to consecutive codes. Thread-safe.</summary>
    void Encode(VectorBlock vectors, long from, int count, byte* codes);

    /// <summary>The look-up table of a query. Shape: [M, K], row-major, and the common entry; length <see cref="TableLength"/>.</summary>
    void BuildTable(ReadOnlySpan<float> query, Span<float> table);
}
