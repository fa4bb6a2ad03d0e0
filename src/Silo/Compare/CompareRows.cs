namespace Signpost.Silo.Compare;

/// <summary>What follows from curves: where they reach a recall, and how codes of one size compare.</summary>
internal static class CompareRows
{
    /// <summary>Name of the rows without codes.</summary>
    public const string Exact = "exact";

    /// <summary>The recall at which speed is compared.</summary>
    public const double Target = 0.95;

    /// <summary>
    /// The first place where <paramref name="points"/>, ascending by L, reach <paramref name="recall"/>, on straight lines between them, that
    /// of speed in its logarithm. Nothing is guessed below the smallest pool: where that reaches it, it is the place.
    /// </summary>
    /// <returns>L is not a whole number; null where no point reaches it.</returns>
    public static (double L, double Qps, double Hops, double DistanceComputations)? Reach(IReadOnlyList<ComparePoint> points, double recall)
    {
        for (int i = 0; i < points.Count; i++)
        {
            if (points[i].RecallAt10 >= recall)
            {
                (ComparePoint to, ComparePoint from) = (points[i], points[Math.Max(0, i - 1)]);
                double share = i == 0 ? 1 : (recall - from.RecallAt10) / (to.RecallAt10 - from.RecallAt10);
                return (
                    Between(from.L, to.L, share), Math.Exp(Between(Math.Log(from.Qps), Math.Log(to.Qps), share)), Between(from.Hops, to.Hops, share),
                    Between(from.DistanceComputations, to.DistanceComputations, share));
            }
        }

        return null;
    }

    /// <summary>Speed with a pool of <paramref name="l"/>, between its neighbours by logarithms; null where none smaller or none larger was measured.</summary>
    public static double? SpeedAt(IReadOnlyList<ComparePoint> points, double l)
    {
        int to = points.TakeWhile(point => point.L < l).Count();
        if (to == points.Count || (to == 0 && points[to].L > l))
        {
            return null;
        }

        (ComparePoint high, ComparePoint low) = (points[to], points[Math.Max(0, to - 1)]);
        double share = high.L == low.L ? 1 : (l - low.L) / (high.L - low.L);
        return Math.Exp(Between(Math.Log(low.Qps), Math.Log(high.Qps), share));
    }

    /// <summary>Every row of codes with subspaces against the rivals of its size and search, where both are there.</summary>
    public static IReadOnlyList<CompareRatio> Ratios(IReadOnlyList<CompareRow> rows)
    {
        var ratios = new List<CompareRatio>();
        double? leastL = rows.FirstOrDefault(row => row.Quantizer == Exact)?.LAt95;
        foreach (CompareRow row in rows.Where(row => row.M is not null && !CompareMethod.Rivals.Contains(row.Quantizer)))
        {
            CompareRow[] rivals = [.. rows
                .Where(rival => CompareMethod.Rivals.Contains(rival.Quantizer) && (rival.M, rival.K, rival.Search) == (row.M, row.K, row.Search))
                .OrderByDescending(rival => rival.QpsAt95 ?? 0)
                .ThenByDescending(rival => rival.RecallAt10L100)];
            if (rivals.Length == CompareMethod.Rivals.Length)
            {
                (CompareRow better, CompareRow weaker) = (rivals[0], rivals[^1]);
                ratios.Add(new CompareRatio
                {
                    Quantizer = row.Quantizer,
                    M = row.M!.Value,
                    K = row.K!.Value,
                    Search = row.Search,
                    Rival = better.Quantizer,
                    Weaker = weaker.Quantizer,
                    QpsOverRival = row.QpsAt95 / better.QpsAt95,
                    QpsOverWeaker = row.QpsAt95 / weaker.QpsAt95,
                    QpsCeiling = leastL is { } l ? SpeedAt(better.Points, l) / better.QpsAt95 : null,
                    LOverRival = row.LAt95 / better.LAt95,
                    LOverWeaker = row.LAt95 / weaker.LAt95,
                    RecallOverRival = row.RecallAt10L100 - better.RecallAt10L100,
                    RecallOverWeaker = row.RecallAt10L100 - weaker.RecallAt10L100,
                });
            }
        }

        return ratios;
    }

    private static double Between(double from, double to, double share) => from + (share * (to - from));
}
