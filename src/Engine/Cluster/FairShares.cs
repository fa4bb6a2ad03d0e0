namespace Signpost.Engine.Cluster;

/// <summary>Divides something in proportion to weights, none getting more than its limit.</summary>
internal static class FairShares
{
    /// <summary>The shares of <paramref name="total"/>; their sum is less where the limits together are.</summary>
    /// <param name="total">What is divided, at least 0.</param>
    /// <param name="weights">Each above 0.</param>
    /// <param name="limits">Most for each; at least 0.</param>
    public static double[] Of(double total, double[] weights, double[] limits)
    {
        var shares = new double[weights.Length];

        // The first to reach their limits, as the common level rises, are those with the least limit for their weight.
        int[] order = [.. Enumerable.Range(0, weights.Length).OrderBy(i => limits[i] / weights[i])];
        double weightLeft = weights.Sum();
        foreach (int i in order)
        {
            shares[i] = Math.Min(limits[i], total * weights[i] / weightLeft);
            total -= shares[i];
            weightLeft -= weights[i];
        }

        return shares;
    }
}
