using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Signpost.Engine.Kernels;

/// <summary>The gradient of a weighted squared distance.</summary>
internal static unsafe class DistanceGradient
{
    /// <summary>
    /// Adds the gradient of <paramref name="weight"/> ||x - y||^2 to <paramref name="dx"/> and <paramref name="dy"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(float weight, float* x, float* y, float* dx, float* dy, int dim)
    {
        float scale = 2f * weight;
        var factor = Vector256.Create(scale);
        int i = 0;
        for (; i <= dim - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            Vector256<float> term = factor * (Vector256.Load(x + i) - Vector256.Load(y + i));
            (Vector256.Load(dx + i) + term).Store(dx + i);
            (Vector256.Load(dy + i) - term).Store(dy + i);
        }

        for (; i < dim; i++)
        {
            float term = scale * (x[i] - y[i]);
            dx[i] += term;
            dy[i] -= term;
        }
    }
}
