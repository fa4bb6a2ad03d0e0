namespace Signpost.Engine.Training;

/// <summary>
/// The two losses on code distances and their derivatives by each distance, the alphas of <see cref="RpqPairs"/>: everything that
/// RPQ learns about routing passes through these numbers.
/// </summary>
internal static class PairLosses
{
    /// <summary>
    /// Mean of max(0, margin + dhat(x, x+) - dhat(x, x-)); adds <paramref name="weight"/> times its derivatives to the alphas.
    /// </summary>
    public static double Triplets(int count, double margin, double weight, RpqPairs pairs)
    {
        double sum = 0;
        float share = (float)(weight / Math.Max(1, count));
        for (int i = 0; i < count; i++)
        {
            (int positive, int negative) = pairs.OfTriplet(i);
            double violation = margin + pairs.Distances[positive] - pairs.Distances[negative];
            if (violation > 0)
            {
                sum += violation;
                pairs.Alphas[positive] += share;
                pairs.Alphas[negative] -= share;
            }
        }

        return sum / Math.Max(1, count);
    }

    /// <summary>
    /// Weighted mean over records of -ln Pr(an acceptable candidate), where Pr is the softmax of -dhat / Tr over the candidates; adds
    /// <paramref name="weight"/> times its derivatives to the alphas, which add up to 0 in every record.
    /// </summary>
    /// <returns>The loss, and the share of records whose nearest candidate, the first of equals, is acceptable.</returns>
    public static (double Loss, double Agreement) Routing(RpqRecords records, double temperature, double weight, RpqPairs pairs)
    {
        double totalWeight = 0;
        int longest = 0;
        for (int i = 0; i < records.Count; i++)
        {
            totalWeight += records.Weights[i];
            longest = Math.Max(longest, records.Starts[i + 1] - records.Starts[i]);
        }

        var seen = new float[longest];
        var made = new float[longest];
        double sum = 0;
        int agreeing = 0;
        for (int i = 0; i < records.Count; i++)
        {
            Range range = records.Starts[i]..records.Starts[i + 1];
            ReadOnlySpan<int> candidates = pairs.OfCandidates[range];
            Span<float> distances = seen.AsSpan(0, candidates.Length);
            Span<float> alphas = made.AsSpan(0, candidates.Length);
            alphas.Clear();
            for (int j = 0; j < candidates.Length; j++)
            {
                distances[j] = pairs.Distances[candidates[j]];
            }

            double share = totalWeight > 0 ? records.Weights[i] / totalWeight : 0;
            (double loss, bool agrees) = Record(distances, records.Acceptable.AsSpan(range), temperature, weight * share, alphas);
            for (int j = 0; j < candidates.Length; j++)
            {
                pairs.Alphas[candidates[j]] += alphas[j];
            }

            sum += share * loss;
            agreeing += agrees ? 1 : 0;
        }

        return (sum, agreeing / (double)Math.Max(1, records.Count));
    }

    /// <summary>The loss of one record, not weighted; <paramref name="weight"/> is only that of the alphas.</summary>
    internal static (double Loss, bool Agrees) Record(
        ReadOnlySpan<float> distances, ReadOnlySpan<bool> acceptable, double temperature, double weight, Span<float> alphas)
    {
        int nearest = 0;
        double leastAcceptable = double.PositiveInfinity;
        for (int i = 0; i < distances.Length; i++)
        {
            nearest = distances[i] < distances[nearest] ? i : nearest;
            leastAcceptable = acceptable[i] ? Math.Min(leastAcceptable, distances[i]) : leastAcceptable;
        }

        // Two sums with a maximum each: the acceptable ones may all be too far to be seen beside the nearest.
        double all = 0;
        double right = 0;
        for (int i = 0; i < distances.Length; i++)
        {
            all += Math.Exp((distances[nearest] - distances[i]) / temperature);
            right += acceptable[i] ? Math.Exp((leastAcceptable - distances[i]) / temperature) : 0;
        }

        for (int i = 0; i < distances.Length; i++)
        {
            double pi = Math.Exp((distances[nearest] - distances[i]) / temperature) / all;
            double rho = acceptable[i] ? Math.Exp((leastAcceptable - distances[i]) / temperature) / right : 0;
            alphas[i] += (float)(weight * (rho - pi) / temperature);
        }

        double loss = Math.Log(all) - Math.Log(right) + (leastAcceptable - distances[nearest]) / temperature;
        return (loss, acceptable[nearest]);
    }
}
