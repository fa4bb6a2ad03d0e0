using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Kernels;

/// <summary>Whether a vector has a direction that the cosine kernels can see.</summary>
internal static unsafe class Direction
{
    /// <summary>
    /// Why a row has none, as the reason to refuse <paramref name="what"/>; null where it has one. None: the zero vector, also one that
    /// became it when it was rounded to the element type, and lengths whose square is no normal float32.
    /// </summary>
    public static Problem? Fault(string what, ElementType type, ReadOnlySpan<byte> row)
    {
        fixed (byte* x = row)
        {
            // Every vector is at distance 0 from itself; the kernels give 1 to one without direction and NaN to one too long.
            if (PairDistances.Between(Metric.Cosine, type, x, x, row.Length / type.Bytes()) < 0.5f)
            {
                return null;
            }
        }

        bool isZero = row.IndexOfAnyExcept((byte)0) < 0;
        return new Problem(
            ProblemCode.ZeroVector, what, isZero ? "the zero vector" : "a vector too short or too long for float32", "a length of 1.1e-19 to 1.8e19",
            "Leave the zero vector out, scale the others: cosine needs their direction.");
    }
}
