using System.Text.Json.Serialization;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Eval;

namespace Signpost.Silo.Compare;

/// <summary>One pool size of a row.</summary>
/// <param name="L">Candidate pool.</param>
/// <param name="RecallAt10">Mean share of the true 10 nearest among the 10 found.</param>
/// <param name="Qps">Queries per second of processor time of one thread, the median of the rounds.</param>
/// <param name="Hops">Vertices expanded per query.</param>
/// <param name="DistanceComputations">Distances computed while walking, per query.</param>
internal sealed record ComparePoint(
    int L, [property: JsonPropertyName("recall_at_10")] double RecallAt10, double Qps, double Hops, double DistanceComputations);

/// <summary>One kind of codes under one kind of search.</summary>
internal sealed record CompareRow
{
    /// <summary>Method; exact: no codes, the ceiling.</summary>
    public required string Quantizer { get; init; }

    /// <summary>Subspaces of a code; null where there are none.</summary>
    public int? M { get; init; }

    /// <summary>Codewords per subspace; null where there are none.</summary>
    public int? K { get; init; }

    /// <summary>Bytes per vector that the walk reads: the code with all that belongs to it; the vector where the walk is exact.</summary>
    public required int CodeBytes { get; init; }

    /// <summary>codes: what the walk found, in its order. rerank: the same pool by exact distances. exact: without codes.</summary>
    public required string Search { get; init; }

    /// <summary>Recall@10 with a pool of 100.</summary>
    [JsonPropertyName("recall_at_10_l100")]
    public required double RecallAt10L100 { get; init; }

    /// <summary>Pool at which recall@10 is 0.95, between those measured; null where it is not reached.</summary>
    [JsonPropertyName("l_at_95")]
    public double? LAt95 { get; init; }

    /// <summary>Queries per second of processor time there, between its neighbours by logarithms.</summary>
    [JsonPropertyName("qps_at_95")]
    public double? QpsAt95 { get; init; }

    /// <summary>Vertices expanded per query there.</summary>
    [JsonPropertyName("hops_at_95")]
    public double? HopsAt95 { get; init; }

    /// <summary>Distances computed per query there.</summary>
    [JsonPropertyName("distance_computations_at_95")]
    public double? DistanceComputationsAt95 { get; init; }

    /// <summary>The highest recall@10 of all pools measured.</summary>
    [JsonPropertyName("max_recall_at_10")]
    public required double MaxRecallAt10 { get; init; }

    /// <summary>
    /// Share of the routing decisions of exact walks, for up to 1,000 of the queries that recall is measured on, in which the codes prefer the
    /// same vertex; null where there are none, and for codes with factors (RaBitQ).
    /// </summary>
    public double? NextHopAgreement { get; init; }

    /// <summary>Mean squared error of the nearest codewords over a sample of the vectors; refined codes have a larger one. Null where codes decode to nothing.</summary>
    public double? Mse { get; init; }

    /// <summary>
    /// Variance of a sample of the vectors in each subspace after the rotation, in units of squared distance; null where there are no subspaces.
    /// </summary>
    public IReadOnlyList<double>? SubspaceVariances { get; init; }

    /// <summary>By the clock: all of the training, for learned codes that of their start and every look at the graph too.</summary>
    public double? TrainSeconds { get; init; }

    /// <summary>Processor time of the same.</summary>
    public double? TrainCpuSeconds { get; init; }

    /// <summary>Encoding all vectors, by the clock.</summary>
    public double? EncodeSeconds { get; init; }

    /// <summary>How the training of RPQ went; null for other codes.</summary>
    public RpqReport? Rpq { get; init; }

    /// <summary>Memory that this search needs resident, per vector: graph, ids, codes, and full vectors where they are loaded and it reads them.</summary>
    public required double ResidentBytesPerVector { get; init; }

    /// <summary>The curve.</summary>
    public required IReadOnlyList<ComparePoint> Points { get; init; }

    /// <summary>Name of the codes on a page: pq 16 B, opq 16 B K 16.</summary>
    [JsonIgnore]
    public string Name => Quantizer == CompareRows.Exact ? Quantizer : $"{Quantizer} {CodeBytes} B{(K == 16 ? " K 16" : "")}";
}

/// <summary>Learned codes against the better and the weaker of PQ and OPQ of the same size, under one kind of search.</summary>
internal sealed record CompareRatio
{
    /// <summary>The codes.</summary>
    public required string Quantizer { get; init; }

    public required int M { get; init; }

    public required int K { get; init; }

    public required string Search { get; init; }

    /// <summary>The better one: by speed at 95 % recall, where neither reaches it by recall with a pool of 100.</summary>
    public required string Rival { get; init; }

    /// <summary>Queries per second at 95 % recall over the rival's; null where one of the two does not reach it.</summary>
    public double? QpsOverRival { get; init; }

    /// <summary>The other one.</summary>
    public required string Weaker { get; init; }

    /// <summary>The same over the weaker one's.</summary>
    public double? QpsOverWeaker { get; init; }

    /// <summary>
    /// What <see cref="QpsOverRival"/> would be for codes that cost what the rival's do and tell distances exactly: the rival's speed with the pool
    /// at which exact distances reach 95 %. Null where that is not between the pools measured.
    /// </summary>
    public double? QpsCeiling { get; init; }

    /// <summary>Pool at 95 % recall over the rival's, below 1 where it is smaller; null where one of the two does not reach it.</summary>
    [JsonPropertyName("l_over_rival")]
    public double? LOverRival { get; init; }

    /// <summary>The same over the weaker one's.</summary>
    [JsonPropertyName("l_over_weaker")]
    public double? LOverWeaker { get; init; }

    /// <summary>Recall@10 with a pool of 100, less the rival's.</summary>
    public required double RecallOverRival { get; init; }

    /// <summary>The same less the weaker one's.</summary>
    public required double RecallOverWeaker { get; init; }
}

/// <summary>What <c>compare --json</c> prints.</summary>
internal sealed record CompareReport
{
    public required BuildFacts Build { get; init; }

    /// <summary>Number of queries.</summary>
    public required int Queries { get; init; }

    /// <summary>Timed passes, of which the median counts.</summary>
    public required int Rounds { get; init; }

    /// <summary>Number from which all training follows.</summary>
    public required long Seed { get; init; }

    /// <summary>mapped or loaded.</summary>
    public required string VectorPlace { get; init; }

    /// <summary>Processor and runtime.</summary>
    public required string Machine { get; init; }

    public required IReadOnlyList<CompareRow> Rows { get; init; }

    public required IReadOnlyList<CompareRatio> Ratios { get; init; }
}
