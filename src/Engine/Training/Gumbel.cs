using Signpost.Engine.Base;

namespace Signpost.Engine.Training;

/// <summary>
/// Standard Gumbel noise, -ln(-ln U): the arg-max of logits with it added is a sample of their softmax (Jang, Gu, Poole,
/// "Categorical reparameterization with Gumbel-softmax", 2017).
/// </summary>
internal static class Gumbel
{
    /// <summary>The stream of the noise of one anchor in one subspace at one step; below 2^24 anchors and 2^16 subspaces.</summary>
    public static ulong Stream(long step, int anchor, int m) => ((ulong)step << 40) | ((ulong)(uint)anchor << 16) | (uint)m;

    /// <summary>The next sample, always finite: mean 0.5772, variance pi^2 / 6.</summary>
    public static double Next(ref Seeded random)
    {
        double uniform = ((random.NextUInt64() >> 12) + 0.5) * (1.0 / (1UL << 52)); // in (0, 1), both ends excluded
        return -Math.Log(-Math.Log(uniform));
    }
}
