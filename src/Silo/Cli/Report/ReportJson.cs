using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Signpost.Client;
using Signpost.Engine.Training;
using Signpost.Silo.Compare;
using Signpost.Silo.Eval;
using Signpost.Silo.Http;

namespace Signpost.Silo.Cli.Report;

/// <summary>What <c>build --json</c> prints.</summary>
internal sealed record BuildReport(string Name, string Folder, long Vectors, int Dim, int Shards, double BuildSeconds, long Bytes);

/// <summary>What <c>serve --json</c> prints when it answers.</summary>
internal sealed record ServeReport(string Url, string Serving, int ProcessId);

/// <summary>What <c>up --json</c> prints when the cluster is whole.</summary>
internal sealed record UpReport(string? Cluster, string Redis, UpSilo[] Silos);

/// <summary>A silo of <see cref="UpReport"/>.</summary>
internal sealed record UpSilo(string Name, string Url, int ProcessId);

/// <summary>What <c>key --json</c> prints.</summary>
internal sealed record KeyReport(string Key, string Line);

/// <summary>What <c>drain --json</c> prints when the silo has ended: the moves that were seen to end.</summary>
internal sealed record DrainReport(string Silo, double Seconds, long Bytes, EndedMove[] Moves);

/// <summary>What <c>push --json</c> prints.</summary>
internal sealed record PushReport(string Collection, string Store, int Files, int FilesSent, long BytesSent, double Seconds);

/// <summary>What <c>split</c>, <c>merge</c> and <c>compact --json</c> print.</summary>
/// <param name="Collection">Its name.</param>
/// <param name="Replaced">Shards that went.</param>
/// <param name="Shards">Its shards now.</param>
/// <param name="MapVersion">Of the shard map that has them; null where nobody waited for one.</param>
/// <param name="Swept">Whether files of former shards were removed.</param>
/// <param name="Kept">Former shards whose files stay.</param>
/// <param name="Seconds">By the clock.</param>
internal sealed record LayoutReport(
    string Collection, int[] Replaced, LayoutReportShard[] Shards, long? MapVersion, bool Swept, int[] Kept, double Seconds);

/// <summary>A shard of <see cref="LayoutReport"/>.</summary>
internal sealed record LayoutReportShard(int Shard, int SlotFrom, int SlotTo, long Vectors, string Segment, bool IsPart);

/// <summary>What <c>train --json</c> prints.</summary>
internal sealed record TrainReport
{
    public required string Collection { get; init; }

    public required string Folder { get; init; }

    /// <summary>How the codes were learned.</summary>
    public required string Quantizer { get; init; }

    /// <summary>Subspaces.</summary>
    public required int M { get; init; }

    /// <summary>Codewords per subspace.</summary>
    public required int Codewords { get; init; }

    /// <summary>Bytes of a code.</summary>
    public required int CodeBytes { get; init; }

    /// <summary>Number of the training in its collection.</summary>
    public required uint Version { get; init; }

    /// <summary>Vectors that it learned from.</summary>
    public required long Sampled { get; init; }

    /// <summary>Mean squared error of the nearest codewords over them; codes of rpq, which are fitted to neighbours, have a larger one.</summary>
    public required double Error { get; init; }

    /// <summary>True where the collection had these codes already.</summary>
    public required bool WasDone { get; init; }

    /// <summary>By the clock.</summary>
    public required double Seconds { get; init; }

    /// <summary>Of the processor.</summary>
    public required double CpuSeconds { get; init; }

    /// <summary>How RPQ was learned; null for other kinds, and where the quantizer was there already.</summary>
    public required RpqReport? Rpq { get; init; }
}

/// <summary>How RPQ was learned: scores on held-out queries, recall@10 of searches on codes alone and next-hop agreement.</summary>
internal sealed record RpqReport(
    double StartRecall, double EndRecall, double StartAgreement, double EndAgreement, long Steps, long BestStep, double MsPerStep, double Seconds,
    long? ResumedAt, string? Notice)
{
    public static RpqReport? Of(RpqSummary? summary) => summary is null
        ? null
        : new RpqReport(
            summary.Start.Recall, summary.End.Recall, summary.Start.Agreement, summary.End.Agreement, summary.Steps, summary.BestStep,
            summary.MillisecondsPerStep, summary.Seconds, summary.ResumedAt, summary.Notice);
}

/// <summary>What <c>exact --json</c> prints.</summary>
internal sealed record ExactReport(string Out, int Queries, long Vectors, int K, double Seconds, double QueriesPerSecond);

/// <summary>One query of <see cref="SearchReport"/>.</summary>
internal sealed record SearchReportItem(
    int Query, ulong[] Ids, float[] Distances, int ShardsAnswered, int Shards, long Hops, long DistanceComputations, bool DeadlineReached);

/// <summary>What <c>search --json</c> prints.</summary>
internal sealed record SearchReport(string Collection, string Mode, int K, int L, int? Rerank, double Seconds, SearchReportItem[] Results);

/// <summary>What <c>demo --json</c> prints; the figures at the top are those of the default search, <see cref="Search"/>.</summary>
internal sealed record DemoReport
{
    public required long Vectors { get; init; }

    public required int Dim { get; init; }

    public required int Shards { get; init; }

    public required int Queries { get; init; }

    public required int Threads { get; init; }

    public required double BuildSeconds { get; init; }

    public required string Search { get; init; }

    [JsonPropertyName("recall_at_10")]
    public required double RecallAt10 { get; init; }

    /// <summary>All threads.</summary>
    public required double Qps { get; init; }

    public required double P50Ms { get; init; }

    public required double P99Ms { get; init; }

    public required double ResidentBytesPerVector { get; init; }

    /// <summary>Queries per second of comparing with every vector, all threads; null where the truth was given.</summary>
    public double? ExactSearchQps { get; init; }

    /// <summary>Where the files are; null where they were removed.</summary>
    public string? Folder { get; init; }

    public required IReadOnlyList<EvalPoint> Points { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BuildReport))]
[JsonSerializable(typeof(TrainReport))]
[JsonSerializable(typeof(KeyReport))]
[JsonSerializable(typeof(PushReport))]
[JsonSerializable(typeof(LayoutReport))]
[JsonSerializable(typeof(ExactReport))]
[JsonSerializable(typeof(SearchReport))]
[JsonSerializable(typeof(DemoReport))]
[JsonSerializable(typeof(EvalReport))]
[JsonSerializable(typeof(CompareReport))]
[JsonSerializable(typeof(ClusterInfo))]
[JsonSerializable(typeof(ServeReport))]
[JsonSerializable(typeof(UpReport))]
[JsonSerializable(typeof(DrainReply))]
[JsonSerializable(typeof(DrainReport))]
[JsonSerializable(typeof(PlanReply))]
[JsonSerializable(typeof(TrainingInfo))]
internal sealed partial class ReportJson : JsonSerializerContext
{
    private static readonly JsonWriterOptions Readable = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Prints <paramref name="value"/> on stdout.</summary>
    public static void Print<T>(T value, JsonTypeInfo<T> type) => Print(writer => JsonSerializer.Serialize(writer, value, type));

    /// <summary>Prints <paramref name="tree"/> on stdout.</summary>
    public static void Print(JsonObject tree) => Print(writer => tree.WriteTo(writer));

    private static void Print(Action<Utf8JsonWriter> write)
    {
        using Stream stdout = Console.OpenStandardOutput();
        using (var writer = new Utf8JsonWriter(stdout, Readable))
        {
            write(writer);
        }

        stdout.WriteByte((byte)'\n');
    }
}
