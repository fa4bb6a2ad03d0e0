using System.Diagnostics;
using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Quantizers;

/// <summary>Settings of <see cref="KMeans"/>.</summary>
public sealed record KMeansOptions
{
    /// <summary>Most rounds of assignment and mean, at least 0. 25: later rounds change the objective by less than a percent.</summary>
    public int Iterations { get; init; } = 25;

    /// <summary>Stops when a round lowers the objective by less than this share of it.</summary>
    public double Tolerance { get; init; } = 1e-4;

    /// <summary>Most points used per centroid, at least 1; a larger set is sampled. 256: more points hardly move a mean.</summary>
    public int MaxPointsPerCentroid { get; init; } = 256;

    /// <summary>Seed of the sample and of k-means++.</summary>
    public ulong Seed { get; init; } = 1;
}

/// <summary>What k-means found.</summary>
/// <param name="Centroids">Shape: [K, dim], row-major; always finite. Repeated where there are fewer distinct points than K.</param>
/// <param name="Objective">
/// Sum of squared distances of the points used to their nearest centroid: before each round, and last that of
/// <paramref name="Centroids"/>. Never rises, but for rounding.
/// </param>
/// <param name="PointsUsed">Points after sampling.</param>
public sealed record KMeansResult(float[] Centroids, IReadOnlyList<double> Objective, int PointsUsed);

/// <summary>
/// k-means: Lloyd's iteration (Lloyd 1982) from k-means++ seeds (Arthur, Vassilvitskii 2007), squared Euclidean distance. The same
/// seed gives the same centroids on any number of threads.
/// </summary>
public static class KMeans
{
    /// <summary>Finds <paramref name="k"/> centroids of <paramref name="points"/>, of which at least one must exist.</summary>
    /// <param name="points">Shape: [count, dim], of any element type; only a sample is read when there are many.</param>
    /// <param name="metric">Under cosine the points are normalised first; the centroids are not.</param>
    /// <param name="k">Centroids wanted, at least 1; may exceed the number of points.</param>
    /// <param name="options">Settings.</param>
    /// <param name="work">Threads, progress in rounds, cancellation.</param>
    public static KMeansResult Train(VectorBlock points, Metric metric, int k, KMeansOptions options, Work work)
    {
        Check.That(points.Count > 0 && k > 0 && options.MaxPointsPerCentroid > 0);
        int most = (int)Math.Min(int.MaxValue, (long)k * options.MaxPointsPerCentroid);
        using FloatRows rows = FloatRows.Sample(points, metric, most, options.Seed, work);
        return Train(rows, k, options, new Seeded(options.Seed, RandomStreams.Seeding), work);
    }

    /// <summary>As above on all <paramref name="rows"/>; silent inside a round.</summary>
    internal static KMeansResult Train(FloatRows rows, int k, KMeansOptions options, Seeded random, Work work)
    {
        var rounds = new Work(work.Threads, null, work.Cancel);
        using var lloyd = new Lloyd(rows, KMeansPlusPlus.Seeds(rows, k, ref random, rounds), k);
        long start = Stopwatch.GetTimestamp();
        List<double> objective = lloyd.Run(options.Iterations, options.Tolerance, rounds, done =>
            work.Report(new PhaseProgress("k-means", done, options.Iterations, Stopwatch.GetElapsedTime(start))));
        return new KMeansResult(lloyd.Centroids, objective, rows.Count);
    }
}
