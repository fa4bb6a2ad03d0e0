using System.Runtime.CompilerServices;

namespace Signpost.Engine.Kernels;

/// <summary>Sum of squared differences. Exact for integers up to the rounding of the result to float32.</summary>
internal readonly struct SquaredL2 : IMetric, ITerm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Add<TLanes, V>(V sum, V x, V y)
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        V difference = TLanes.Subtract(x, y);
        return TLanes.MultiplyAdd(difference, difference, sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TLanes, V>(ref Sums<V> sums, V x, V y)
        where TLanes : struct, ILanes<V>
        where V : struct => sums.Main = Add<TLanes, V>(sums.Main, x, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Finish(in Sums<float> sums) => sums.Main;
}
