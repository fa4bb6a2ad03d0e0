using System.Text.Json.Serialization;

namespace Signpost.Silo.Eval;

/// <summary>What one setting of a search gave: quality, speed, work and memory.</summary>
internal sealed record EvalPoint
{
    /// <summary>Walk: exact, codes or codes+rerank.</summary>
    public required string Search { get; init; }

    /// <summary>Codes of the collection: none, pq, opq, rpq.</summary>
    public required string Quantizer { get; init; }

    /// <summary>Subspaces of a code; null without codes.</summary>
    public int? M { get; init; }

    /// <summary>Neighbours asked for.</summary>
    public required int K { get; init; }

    /// <summary>Candidate pool.</summary>
    public required int L { get; init; }

    /// <summary>Pool entries re-ranked; null unless the walk is codes+rerank.</summary>
    public int? Rerank { get; init; }

    /// <summary>Mean share of the true k nearest among the k found, 0 .. 1.</summary>
    [JsonPropertyName("recall_at_k")]
    public required double RecallAtK { get; init; }

    /// <summary>The same for 10; null where fewer than 10 were asked for.</summary>
    [JsonPropertyName("recall_at_10")]
    public double? RecallAt10 { get; init; }

    /// <summary>Queries per second of one thread.</summary>
    [JsonPropertyName("qps_1")]
    public required double Qps1 { get; init; }

    /// <summary>Queries per second of processor time of that thread: what other load on the machine does not change.</summary>
    public required double QpsCpu { get; init; }

    /// <summary>Queries per second of all threads.</summary>
    public required double QpsAll { get; init; }

    /// <summary>Median time of a query on one thread, microseconds.</summary>
    public required double P50Us { get; init; }

    /// <summary>95th percentile of the same.</summary>
    public required double P95Us { get; init; }

    /// <summary>99th percentile of the same.</summary>
    public required double P99Us { get; init; }

    /// <summary>Vertices expanded per query, over all shards.</summary>
    public required double Hops { get; init; }

    /// <summary>Distances computed while walking, per query.</summary>
    public required double DistanceComputations { get; init; }

    /// <summary>Exact distances computed to re-rank, per query.</summary>
    public required double Reranked { get; init; }

    /// <summary>Memory that this walk needs resident, per vector: graph, ids, its codes, and full vectors where they are loaded and it reads them.</summary>
    public required double ResidentBytesPerVector { get; init; }

    /// <summary>Bytes per vector of the mapped file that this walk reads from as it needs them; the system keeps what it has memory for.</summary>
    public required double MappedBytesPerVector { get; init; }

    /// <summary>Name of the curve that this point lies on.</summary>
    [JsonIgnore]
    public string Curve { get; init; } = "";
}

/// <summary>How the collection was built.</summary>
internal sealed record BuildFacts
{
    public required string Collection { get; init; }

    public required long Vectors { get; init; }

    public required int Dim { get; init; }

    public required string ElementType { get; init; }

    public required string Metric { get; init; }

    public required int Shards { get; init; }

    /// <summary>Most edges of a vertex.</summary>
    public int R { get; init; }

    /// <summary>Candidate pool while building.</summary>
    public int L { get; init; }

    /// <summary>Most candidates of an edge selection.</summary>
    public int C { get; init; }

    public required string Quantizer { get; init; }

    /// <summary>Subspaces; null without codes.</summary>
    public int? M { get; init; }

    /// <summary>Codewords per subspace; null without codes.</summary>
    public int? Codewords { get; init; }

    /// <summary>Number of the training that made the codes; null without codes.</summary>
    public uint? CodesVersion { get; init; }

    public long Seed { get; init; }

    /// <summary>What the run that completed the build took by the clock; null where the collection does not tell.</summary>
    public double? BuildSeconds { get; init; }

    /// <summary>Processor time of the same.</summary>
    public double? BuildCpuSeconds { get; init; }
}

/// <summary>A whole sweep: what <c>eval --json</c> prints.</summary>
internal sealed record EvalReport
{
    public required BuildFacts Build { get; init; }

    /// <summary>Number of queries.</summary>
    public required int Queries { get; init; }

    /// <summary>Threads behind <see cref="EvalPoint.QpsAll"/>.</summary>
    public required int Threads { get; init; }

    /// <summary>mapped or loaded.</summary>
    public required string VectorPlace { get; init; }

    /// <summary>Processor and runtime.</summary>
    public required string Machine { get; init; }

    public required IReadOnlyList<EvalPoint> Points { get; init; }
}
