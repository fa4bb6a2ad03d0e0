using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Signpost.Engine.Quantizers;

/// <summary>What an arg-min needs of a vector of floats beyond arithmetic.</summary>
internal interface ISelectLess<V>
    where V : struct
{
    /// <summary>Unit by unit: x &lt; y ? ifLess : otherwise.</summary>
    static abstract V SelectLess(V x, V y, V ifLess, V otherwise);
}

/// <summary>float32 in every width.</summary>
internal readonly struct FloatSelect
    : ISelectLess<Vector512<float>>, ISelectLess<Vector256<float>>, ISelectLess<Vector128<float>>, ISelectLess<float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> SelectLess(
        Vector512<float> x, Vector512<float> y, Vector512<float> ifLess, Vector512<float> otherwise) =>
        Vector512.ConditionalSelect(Vector512.LessThan(x, y), ifLess, otherwise);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> SelectLess(
        Vector256<float> x, Vector256<float> y, Vector256<float> ifLess, Vector256<float> otherwise) =>
        Vector256.ConditionalSelect(Vector256.LessThan(x, y), ifLess, otherwise);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> SelectLess(
        Vector128<float> x, Vector128<float> y, Vector128<float> ifLess, Vector128<float> otherwise) =>
        Vector128.ConditionalSelect(Vector128.LessThan(x, y), ifLess, otherwise);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float SelectLess(float x, float y, float ifLess, float otherwise) => x < y ? ifLess : otherwise;
}
