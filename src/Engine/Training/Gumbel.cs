using System.Runtime.Intrinsics;
using Signpost.Engine.Base;

namespace Signpost.Engine.Training;

/// <summary>
/// Standard Gumbel noise, -ln(-ln U): the arg-max of logits with it added is a sample of their softmax (Jang, Gu, Poole,
/// "Categorical reparameterization with Gumbel-softmax", 2017). Mean 0.5772, variance pi^2 / 6.
/// </summary>
internal static class Gumbel
{
    /// <summary>The stream of the noise of one anchor in one subspace at one step; below 2^24 anchors and 2^16 subspaces.</summary>
    public static ulong Stream(long step, int anchor, int m) => ((ulong)step << 40) | ((ulong)(uint)anchor << 16) | (uint)m;

    /// <summary>Fills <paramref name="noise"/> with samples, all finite.</summary>
    /// <param name="noise">A multiple of 4 floats.</param>
    /// <param name="random">What they are made from, one number each.</param>
    public static void Fill(Span<float> noise, Seeded random)
    {
        Check.That(noise.Length % Vector256<double>.Count == 0);
        for (int i = 0; i < noise.Length; i += Vector256<double>.Count)
        {
            var uniform = Vector256.Create(Uniform(ref random), Uniform(ref random), Uniform(ref random), Uniform(ref random));
            Vector256<double> samples = -Vector256.Log(-Vector256.Log(uniform));
            for (int j = 0; j < Vector256<double>.Count; j++)
            {
                noise[i + j] = (float)samples[j];
            }
        }
    }

    // In (0, 1), both ends excluded: there the logarithms end.
    private static double Uniform(ref Seeded random) => ((random.NextUInt64() >> 12) + 0.5) * (1.0 / (1UL << 52));
}
