using System.Numerics;
using System.Runtime.Intrinsics;

namespace Signpost.Engine.Training;

/// <summary>
/// Softmax of -scale * cost over the codewords that are not hopelessly far behind: with fitted temperatures a handful of 256.
/// </summary>
internal static unsafe class SparseSoftmax
{
    /// <summary>
    /// Lists the codewords whose logit is at most <paramref name="threshold"/> below the highest, with their probabilities, which add
    /// up to 1.
    /// </summary>
    /// <param name="costs">Shape: [k].</param>
    /// <param name="k">A multiple of 16.</param>
    /// <param name="scale">Above 0.</param>
    /// <param name="threshold">Above 0; infinity lists all.</param>
    /// <param name="active">Their numbers, ascending. Room for k.</param>
    /// <param name="probabilities">Room for k.</param>
    /// <returns>How many; 0 where the costs are not numbers.</returns>
    public static int Select(float* costs, int k, float scale, float threshold, int* active, float* probabilities)
    {
        float min = Min(costs, k);
        int count = 0;
        var limit = Vector256.Create(min + threshold / scale);
        for (int i = 0; i < k; i += 16)
        {
            uint low = Vector256.LessThanOrEqual(Vector256.Load(costs + i), limit).ExtractMostSignificantBits();
            uint high = Vector256.LessThanOrEqual(Vector256.Load(costs + i + 8), limit).ExtractMostSignificantBits();
            for (uint near = low | high << 8; near != 0; near &= near - 1)
            {
                int id = i + BitOperations.TrailingZeroCount(near);
                active[count] = id;
                probabilities[count++] = (min - costs[id]) * scale;
            }
        }

        Normalise(probabilities, count);
        return count;
    }

    // Two minima, because each waits for the one before it.
    private static float Min(float* costs, int k)
    {
        Vector256<float> even = Vector256.Load(costs);
        Vector256<float> odd = Vector256.Load(costs + 8);
        for (int i = 16; i < k; i += 16)
        {
            even = Vector256.MinNative(even, Vector256.Load(costs + i));
            odd = Vector256.MinNative(odd, Vector256.Load(costs + i + 8));
        }

        Vector256<float> both = Vector256.MinNative(even, odd);
        Vector128<float> four = Vector128.MinNative(both.GetLower(), both.GetUpper());
        return Math.Min(Math.Min(four[0], four[1]), Math.Min(four[2], four[3]));
    }

    // From logits to probabilities. Whole vectors even at the end: there is room for k, a multiple of the vector.
    private static void Normalise(float* logits, int count)
    {
        for (int i = 0; i < count; i += Vector256<float>.Count)
        {
            Vector256.Exp(Vector256.Load(logits + i)).Store(logits + i);
        }

        float sum = 0;
        for (int i = 0; i < count; i++)
        {
            sum += logits[i];
        }

        float factor = 1f / sum;
        for (int i = 0; i < count; i++)
        {
            logits[i] *= factor;
        }
    }
}
