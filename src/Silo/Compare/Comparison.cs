using System.Diagnostics;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;
using Signpost.Silo.Eval;

namespace Signpost.Silo.Compare;

/// <summary>What is compared.</summary>
/// <param name="Methods">Ways to make codes.</param>
/// <param name="CodeBytes">Bytes per code of the methods that have subspaces.</param>
/// <param name="Codewords">Codewords per subspace, 256 or 16: at 16 there are twice as many subspaces for the same bytes.</param>
/// <param name="Ls">Pool sizes; that of <see cref="Comparison.CommonL"/> is always measured.</param>
/// <param name="Rounds">Timed passes of each setting; the median counts.</param>
/// <param name="Seed">Number from which all training follows.</param>
internal sealed record ComparePlan(
    IReadOnlyList<CompareMethod> Methods, IReadOnlyList<int> CodeBytes, IReadOnlyList<int> Codewords, IReadOnlyList<int> Ls, int Rounds, ulong Seed)
{
    /// <summary>Settings of the methods that have subspaces, largest error first: size by size, codewords by codewords.</summary>
    public IEnumerable<QuantizerOptions> Sizes() =>
        from k in Codewords
        from bytes in CodeBytes
        select new QuantizerOptions { M = k == 16 ? 2 * bytes : bytes, K = k, Seed = Seed };

    /// <summary>Why it cannot be done with vectors of <paramref name="dim"/> components; null where it can.</summary>
    public Problem? Refusal(int dim, Metric metric) => Problem.Join(
        [.. Methods.SelectMany(method => Sizes().SelectMany(size => method.Validate(size, dim, metric))).DistinctBy(problem => problem.ToString())]);
}

/// <summary>
/// Trains several kinds of codes and searches with each on the same graphs of an open collection. Their timed passes take turns,
/// setting by setting and round by round, so that what else the machine does falls on all of them alike.
/// </summary>
/// <param name="collection">All of its shards are open.</param>
/// <param name="queries">Of the collection's dimension and element type.</param>
/// <param name="truth">Exact neighbours of the queries, at least <see cref="K"/>.</param>
/// <param name="work">Threads, progress, cancellation.</param>
internal sealed class Comparison(OpenCollection collection, VectorBlock queries, GroundTruth truth, Work work)
{
    /// <summary>Neighbours asked for.</summary>
    public const int K = 10;

    /// <summary>The pool at which recalls are compared.</summary>
    public const int CommonL = 100;

    /// <summary>Queries of a round at least: fewer are asked more often, or a round would be too short to time.</summary>
    private const int LeastQueries = 1000;

    /// <summary>Does all of <paramref name="plan"/>: rows by codes, then by kind of search.</summary>
    public IReadOnlyList<CompareRow> Run(ComparePlan plan)
    {
        List<Contender> contenders = [];
        try
        {
            contenders.Add(Contender.Exact(collection, work));
            Train(plan, contenders);
            return Measure(plan, contenders);
        }
        finally
        {
            contenders.ForEach(contender => contender.Dispose());
        }
    }

    private void Train(ComparePlan plan, List<Contender> contenders)
    {
        var options = new QuantizerOptions { Seed = plan.Seed };
        using var set = new TrainingSet(collection, options.TrainingVectors, plan.Seed);
        QueryDecisions decisions = QueryDecisions.Record(set, queries, plan.Seed, work);
        foreach (QuantizerOptions size in plan.Sizes())
        {
            foreach (CompareMethod method in plan.Methods.Where(method => method.IsSized))
            {
                Add(method, size, $"{method.Name} M {size.M} K {size.K}");
            }
        }

        foreach (CompareMethod method in plan.Methods.Where(method => !method.IsSized))
        {
            Add(method, options, method.Name);
        }

        void Add(CompareMethod method, QuantizerOptions size, string name) =>
            contenders.Add(Contender.Train(method, collection, set, size, decisions, work.Under(name)));
    }

    private List<CompareRow> Measure(ComparePlan plan, List<Contender> contenders)
    {
        int[] ls = [.. plan.Ls.Append(CommonL).Where(l => l >= K).Distinct().Order()];
        var curves = (
            from contender in contenders
            from mode in contender.Modes
            select (Contender: contender, Mode: mode,
                Settings: ls.Select(l => new Measurement(contender.Shards, queries, new SearchParameters(K, l, mode), work)).ToArray())).ToList();
        foreach (var kind in curves.GroupBy(curve => (curve.Mode, curve.Contender.Coder?.K, curve.Contender.Coder?.HasFactors)))
        {
            kind.First().Settings[0].Warm(); // all of a kind run the same machine code
        }

        ForEach("finding", 1, setting => setting.Find());
        ForEach("timing", plan.Rounds * Math.Max(1, LeastQueries / (int)queries.Count), setting => setting.TimeOne());
        return [.. curves.Select(curve => curve.Contender.Row(curve.Mode, [.. curve.Settings.Select(Point)], collection.RowBytes))];

        void ForEach(string phase, int rounds, Action<Measurement> body)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < rounds * ls.Length; i++)
            {
                curves.ForEach(curve => body(curve.Settings[i % ls.Length]));
                work.Report(new PhaseProgress(phase, i + 1, rounds * ls.Length, Stopwatch.GetElapsedTime(start)));
            }
        }
    }

    private ComparePoint Point(Measurement setting) =>
        new(setting.Parameters.L, setting.Recall(truth, K), setting.QpsCpu, setting.Hops, setting.DistanceComputations);
}
