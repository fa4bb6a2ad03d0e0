using System.Runtime.CompilerServices;

namespace Signpost.Engine.Kernels;

/// <summary>
/// One minus the cosine of the angle, from one pass over both vectors. A zero vector, which has no angle, is at distance 1 of
/// everything; so is one whose squared length is below the smallest normal float32.
/// </summary>
internal readonly struct Cosine : IMetric
{
    private const float SmallestNormal = 1.17549435e-38f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TLanes, V>(ref Sums<V> sums, V x, V y)
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        sums.Main = TLanes.MultiplyAdd(x, y, sums.Main);
        sums.XX = TLanes.MultiplyAdd(x, x, sums.XX);
        sums.YY = TLanes.MultiplyAdd(y, y, sums.YY);
    }

    /// <summary>In double precision, because the product of two squared lengths leaves the range of float32 early.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Finish(in Sums<float> sums) =>
        Math.Min(sums.XX, sums.YY) < SmallestNormal ? 1f : (float)(1 - sums.Main / Math.Sqrt((double)sums.XX * sums.YY));

    /// <summary>What a dot product is multiplied with for a vector of this squared length; 0 for a zero vector.</summary>
    public static float InverseLength(float squares) => squares < SmallestNormal ? 0f : (float)(1 / Math.Sqrt(squares));
}
