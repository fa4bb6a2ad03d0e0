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
    /// <param name="k">A multiple of 8.</param>
    /// <param name="scale">Above 0.</param>
    /// <param name="threshold">Above 0; infinity lists all.</param>
    /// <param name="active">Their numbers, ascending. Room for k.</param>
    /// <param name="probabilities">Room for k.</param>
    /// <returns>How many; 0 where the costs are not numbers.</returns>
    public static int Select(float* costs, int k, float scale, float threshold, int* active, float* probabilities)
    {
        Vector256<float> least = Vector256.Load(costs);
        for (int i = Vector256<float>.Count; i < k; i += Vector256<float>.Count)
        {
            least = Vector256.Min(least, Vector256.Load(costs + i));
        }

        float min = least[0];
        for (int i = 1; i < Vector256<float>.Count; i++)
        {
            min = Math.Min(min, least[i]);
        }

        int count = 0;
        var limit = Vector256.Create(min + threshold / scale);
        for (int i = 0; i < k; i += Vector256<float>.Count)
        {
            uint near = Vector256.LessThanOrEqual(Vector256.Load(costs + i), limit).ExtractMostSignificantBits();
            for (; near != 0; near &= near - 1)
            {
                int id = i + System.Numerics.BitOperations.TrailingZeroCount(near);
                active[count] = id;
                probabilities[count++] = (min - costs[id]) * scale;
            }
        }

        Exponentials(probabilities, count);
        return count;
    }

    // Whole vectors even at the end: there is room for k, a multiple of the vector.
    private static void Exponentials(float* logits, int count)
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
