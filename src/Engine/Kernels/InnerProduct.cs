using System.Runtime.CompilerServices;

namespace Signpost.Engine.Kernels;

/// <summary>The negative of the inner product, so that smaller is closer.</summary>
internal readonly struct InnerProduct : IMetric, ITerm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Add<TLanes, V>(V sum, V x, V y)
        where TLanes : struct, ILanes<V>
        where V : struct => TLanes.MultiplyAdd(x, y, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TLanes, V>(ref Sums<V> sums, V x, V y)
        where TLanes : struct, ILanes<V>
        where V : struct => sums.Main = TLanes.MultiplyAdd(x, y, sums.Main);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Finish(in Sums<float> sums) => 0f - sums.Main; // no negative zero: it would be nearer than zero to those who compare bits
}
