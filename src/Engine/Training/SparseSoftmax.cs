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
            if ((low | high << 8) == 0xFFFF)
            {
                (Vector256.Create(i) + Vector256<int>.Indices).Store(active + count);
                (Vector256.Create(i + 8) + Vector256<int>.Indices).Store(active + count + 8);
                ((Vector256.Create(min) - Vector256.Load(costs + i)) * scale).Store(probabilities + count);
                ((Vector256.Create(min) - Vector256.Load(costs + i + 8)) * scale).Store(probabilities + count + 8);
                count += 16;
                continue;
            }

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

    /// <summary>
    /// The way back: from u, the derivative of a loss by the probabilities, to the derivatives -p (u - sum p u) scale by the costs.
    /// </summary>
    /// <param name="probabilities">p. Shape: [count], and room for a whole vector.</param>
    /// <param name="upstream">u, which becomes the derivatives by the costs. Shape: [count], and room for a whole vector.</param>
    /// <param name="costs">Shape: [count], and room for a whole vector.</param>
    /// <param name="count">1 or more.</param>
    /// <param name="scale">What the costs were multiplied with.</param>
    /// <returns>The derivative by -ln scale.</returns>
    public static double Differentiate(float* probabilities, float* upstream, float* costs, int count, float scale)
    {
        ClearRest(upstream, count);
        ClearRest(probabilities, count);
        ClearRest(costs, count);
        Vector256<double> sum = Vector256<double>.Zero;
        for (int i = 0; i < count; i += Vector256<float>.Count)
        {
            (Vector256<double> u0, Vector256<double> u1) = Vector256.Widen(Vector256.Load(upstream + i));
            (Vector256<double> p0, Vector256<double> p1) = Vector256.Widen(Vector256.Load(probabilities + i));
            sum += p0 * u0 + p1 * u1;
        }

        var mean = Vector256.Create(Vector256.Sum(sum));
        var reference = Vector256.Create(costs[0]); // derivatives add up to 0: a common part of the costs would only round
        sum = Vector256<double>.Zero;
        for (int i = 0; i < count; i += Vector256<float>.Count)
        {
            (Vector256<double> u0, Vector256<double> u1) = Vector256.Widen(Vector256.Load(upstream + i));
            (Vector256<double> p0, Vector256<double> p1) = Vector256.Widen(Vector256.Load(probabilities + i));
            Vector256<float> weight = Vector256.Narrow(p0 * (u0 - mean), p1 * (u1 - mean)) * scale;
            (Vector256<double> t0, Vector256<double> t1) = Vector256.Widen(weight * (Vector256.Load(costs + i) - reference));
            sum += t0 + t1;
            (-weight).Store(upstream + i);
        }

        return Vector256.Sum(sum);
    }

    // From logits to probabilities.
    private static void Normalise(float* logits, int count)
    {
        ClearRest(logits, count, float.NegativeInfinity);
        Vector256<float> sums = Vector256<float>.Zero;
        for (int i = 0; i < count; i += Vector256<float>.Count)
        {
            Vector256<float> one = Vector256.Exp(Vector256.Load(logits + i));
            sums += one;
            one.Store(logits + i);
        }

        float factor = 1f / Vector256.Sum(sums);
        for (int i = 0; i < count; i += Vector256<float>.Count)
        {
            (Vector256.Load(logits + i) * factor).Store(logits + i);
        }
    }

    // Loops go over whole vectors: there is room for k, a multiple of them.
    private static void ClearRest(float* values, int count, float value = 0)
    {
        for (int i = count; i % Vector256<float>.Count != 0; i++)
        {
            values[i] = value;
        }
    }
}
