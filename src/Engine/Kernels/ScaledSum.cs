using System.Runtime.Intrinsics;

namespace Signpost.Engine.Kernels;

/// <summary>Sums of rows, each times its own number.</summary>
internal static unsafe class ScaledSum
{
    /// <summary>y += <paramref name="scale"/> x, for <paramref name="count"/> components.</summary>
    public static void Add(float scale, float* x, float* y, int count)
    {
        var factor = Vector512.Create(scale);
        int i = 0;
        for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            (Vector512.Load(y + i) + factor * Vector512.Load(x + i)).Store(y + i);
        }

        for (; i < count; i++)
        {
            y[i] += scale * x[i];
        }
    }
}
