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

    /// <summary>
    /// Adds the gradients of the squared distances of <paramref name="x"/> and some rows of <paramref name="table"/>, each with its own
    /// weight, to <paramref name="dx"/> and to the same rows of <paramref name="dtable"/>.
    /// </summary>
    /// <param name="weights">Shape [count].</param>
    /// <param name="rows">Rows of the table. Shape [count].</param>
    /// <param name="count">0 or more.</param>
    /// <param name="x">Shape [dim].</param>
    /// <param name="table">Shape [rows, dim].</param>
    /// <param name="dx">Shape [dim].</param>
    /// <param name="dtable">Shape of the table.</param>
    /// <param name="dim">1 or more.</param>
    public static void AddRows(float* weights, int* rows, int count, float* x, float* table, float* dx, float* dtable, int dim)
    {
        int i = 0;
        for (; i <= dim - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var own = Vector256.Load(x + i);
            var sum = Vector256.Load(dx + i); // stays in a register: there may be hundreds of rows
            for (int j = 0; j < count; j++)
            {
                long at = ((long)rows[j] * dim) + i;
                Vector256<float> term = Vector256.Create(2f * weights[j]) * (own - Vector256.Load(table + at));
                sum += term;
                (Vector256.Load(dtable + at) - term).Store(dtable + at);
            }

            sum.Store(dx + i);
        }

        for (; i < dim; i++)
        {
            for (int j = 0; j < count; j++)
            {
                long at = ((long)rows[j] * dim) + i;
                float term = 2f * weights[j] * (x[i] - table[at]);
                dx[i] += term;
                dtable[at] -= term;
            }
        }
    }
}
