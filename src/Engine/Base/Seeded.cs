namespace Signpost.Engine.Base;

/// <summary>
/// A counter-based random generator (SplitMix64; Steele, Lea, Flood 2014) keyed by (seed, stream). Give every vertex, shard or
/// purpose its own stream: results then do not depend on the thread that asks, nor on the order of asking.
/// </summary>
public struct Seeded(ulong seed, ulong stream)
{
    private ulong _state = Mix(seed ^ Mix(stream + 0x9E3779B97F4A7C15));

    /// <summary>The next 64 random bits.</summary>
    public ulong NextUInt64() => Mix(_state += 0x9E3779B97F4A7C15);

    /// <summary>Uniform in [0, <paramref name="exclusiveMax"/>); the bias is below 2^-32 for any 32-bit range.</summary>
    public int Next(int exclusiveMax) => (int)(((NextUInt64() >> 32) * (ulong)exclusiveMax) >> 32);

    /// <summary>Uniform in [0, 1).</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Standard normal (Box-Muller).</summary>
    public double NextGaussian()
    {
        double u = 1.0 - NextDouble();
        return Math.Sqrt(-2.0 * Math.Log(u)) * Math.Cos(2.0 * Math.PI * NextDouble());
    }

    /// <summary>The finaliser of SplitMix64: a good 64-bit mixing function, also the id hash of slots.</summary>
    public static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
