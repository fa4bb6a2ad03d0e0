using System.Diagnostics;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Training;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Eval;

namespace Signpost.Silo.Compare;

/// <summary>Codes of a collection, made and ready to be searched, with what they took; or its exact distances.</summary>
internal sealed class Contender : IDisposable
{
    private Contender(CodedShards shards, ITableCoder? coder)
    {
        Shards = shards;
        Coder = coder;
    }

    /// <summary>What is searched.</summary>
    public CodedShards Shards { get; }

    /// <summary>What made the codes; null: exact distances.</summary>
    public ITableCoder? Coder { get; }

    /// <summary>The kinds of search that it is measured with.</summary>
    public SearchMode[] Modes => Coder is null ? [SearchMode.Exact] : [SearchMode.Codes, SearchMode.CodesRerank];

    private double? TrainSeconds { get; init; }

    private double? TrainCpuSeconds { get; init; }

    private double? EncodeSeconds { get; init; }

    private double? Mse { get; init; }

    private double[]? Variances { get; init; }

    private double? NextHop { get; init; }

    private RpqReport? Rpq { get; init; }

    /// <summary>The collection without codes.</summary>
    public static Contender Exact(OpenCollection collection, Work work) => new(new CodedShards(collection, CompareRows.Exact, null, work), null);

    /// <summary>Trains <paramref name="method"/>, encodes the collection and measures the codes.</summary>
    public static Contender Train(
        CompareMethod method, OpenCollection collection, TrainingSet set, QuantizerOptions options, QueryDecisions decisions, Work work)
    {
        TimeSpan cpuStart = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        (ITableCoder coder, RpqSummary? rpq) = method.Make(set, options, work);
        double trainSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double trainCpuSeconds = (Environment.CpuUsage.TotalTime - cpuStart).TotalSeconds;
        start = Stopwatch.GetTimestamp();
        var shards = new CodedShards(collection, method.Name, coder, work);
        return new Contender(shards, coder)
        {
            TrainSeconds = trainSeconds,
            TrainCpuSeconds = trainCpuSeconds,
            EncodeSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds,
            Mse = coder is IQuantizer quantizer ? QuantizerError.MeanSquared(quantizer, set.ErrorSample, work) : null,
            Variances = coder is IQuantizer subspaces ? SubspaceVariances.Of(subspaces, set.ErrorSample) : null,
            Rpq = RpqReport.Of(rpq),
            NextHop = coder is IQuantizer ? decisions.Agreement(shards.Views, work) : null,
        };
    }

    /// <summary>The row of one kind of search.</summary>
    /// <param name="mode">Of <see cref="Modes"/>.</param>
    /// <param name="points">Its curve, ascending by L, a pool of 100 among them.</param>
    /// <param name="vectorBytes">Bytes of a vector.</param>
    public CompareRow Row(SearchMode mode, IReadOnlyList<ComparePoint> points, int vectorBytes)
    {
        (double L, double Qps, double Hops, double DistanceComputations)? reached = CompareRows.Reach(points, CompareRows.Target);
        return new CompareRow
        {
            Quantizer = Shards.Quantizer,
            M = Shards.M,
            K = Shards.M is null ? null : Coder!.K,
            CodeBytes = Coder?.CodeBytes ?? vectorBytes,
            Search = mode == SearchMode.CodesRerank ? "rerank" : mode.Word(),
            RecallAt10L100 = points.First(p => p.L == Comparison.CommonL).RecallAt10,
            LAt95 = reached?.L,
            QpsAt95 = reached?.Qps,
            HopsAt95 = reached?.Hops,
            DistanceComputationsAt95 = reached?.DistanceComputations,
            MaxRecallAt10 = points.Max(p => p.RecallAt10),
            NextHopAgreement = NextHop,
            Mse = Mse,
            SubspaceVariances = Variances,
            TrainSeconds = TrainSeconds,
            TrainCpuSeconds = TrainCpuSeconds,
            EncodeSeconds = EncodeSeconds,
            Rpq = Rpq,
            ResidentBytesPerVector = Shards.ResidentBytesPerVector(mode),
            Points = points,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => Shards.Dispose();
}
