using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Signpost.Silo.Http;

/// <summary>Body of a search: one vector or several, and how to search them. What is left out has the server's default.</summary>
internal sealed record SearchBody
{
    /// <summary>One query vector.</summary>
    public float[]? Vector { get; init; }

    /// <summary>Several query vectors; each has its own status in the answer.</summary>
    public float[][]? Vectors { get; init; }

    /// <summary>Neighbours wanted.</summary>
    public int? K { get; init; }

    /// <summary>Candidate pool, at least k.</summary>
    public int? L { get; init; }

    /// <summary>auto, exact, codes or codes+rerank.</summary>
    public string? Mode { get; init; }

    /// <summary>Pool entries that get an exact distance under codes+rerank, k .. l.</summary>
    public int? Rerank { get; init; }

    /// <summary>Deadline, milliseconds from arrival; then the answer is what was found so far.</summary>
    public int? TimeoutMs { get; init; }

    /// <summary>partial: partial answers are answers; full: an answer that not every shard has part in is refused.</summary>
    public string? Require { get; init; }

    /// <summary>Whether the answer tells who was asked for what, and what that took.</summary>
    public bool? Explain { get; init; }
}

/// <summary>A stored vector near the query.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Distance">Smaller is closer: squared Euclidean distance, negative inner product, or one minus the cosine.</param>
internal readonly record struct HitReply(ulong Id, float Distance);

/// <summary>How much of the collection had part in the answer.</summary>
internal sealed record CoverageReply(int ShardsAnswered, int Shards, long VectorsAnswered, long Vectors);

/// <summary>What the search did.</summary>
internal sealed record StatsReply(long Hops, long DistanceComputations, long Reranked, bool DeadlineReached);

/// <summary>A shard that had no part in the answer.</summary>
internal sealed record MissingReply(int Shard, string Reason);

/// <summary>Answer to one vector. Status "ok", or the code of <see cref="Problem"/>; then nothing else is given.</summary>
internal sealed record ItemReply
{
    public required string Status { get; init; }

    public HitReply[]? Hits { get; init; }

    public CoverageReply? Coverage { get; init; }

    public MissingReply[]? Missing { get; init; }

    public StatsReply? Stats { get; init; }

    public ExplainReply? Explain { get; init; }

    public ProblemReply? Problem { get; init; }
}

/// <summary>Answer to a request with "vectors": one item per vector, in that order.</summary>
internal sealed record BatchReply(ItemReply[] Results, double TookMs);

/// <summary>Answer to a request with "vector".</summary>
internal sealed record SingleReply(HitReply[] Hits, CoverageReply Coverage, MissingReply[]? Missing, StatsReply Stats, ExplainReply? Explain, double TookMs);

/// <summary>Why a request was refused (RFC 9457), with the stable code and how to mend it.</summary>
internal sealed record ProblemReply(string Type, string Title, int Status, string Detail, string Code, string Got, string Expected, string Mend);

/// <summary>A collection that is served.</summary>
internal sealed record CollectionReply
{
    public required string Name { get; init; }

    public required long Vectors { get; init; }

    public required int Dim { get; init; }

    public required string ElementType { get; init; }

    public required string Metric { get; init; }

    public required int Shards { get; init; }

    public required string Quantizer { get; init; }

    /// <summary>Memory in use per vector: graph, codes, ids.</summary>
    public required double ResidentBytesPerVector { get; init; }
}

/// <summary>All collections that are served, by name.</summary>
internal sealed record CollectionsReply(CollectionReply[] Collections);

/// <summary>State of the process.</summary>
internal sealed record HealthReply(string Status, string Version, double UptimeSeconds, long ResidentBytes);

/// <summary>Whether requests will be answered.</summary>
internal sealed record ReadyReply(string Status, int Waiting);

/// <summary>The cluster as the silo that answers sees it: who is there, and who holds what.</summary>
internal sealed record ClusterReply
{
    /// <summary>Name of the cluster; null for a silo that is alone.</summary>
    public string? Cluster { get; init; }

    /// <summary>embedded or redis.</summary>
    public required string Runtime { get; init; }

    /// <summary>The silo that answers.</summary>
    public required string Silo { get; init; }

    /// <summary>Version of its program.</summary>
    public required string Version { get; init; }

    /// <summary>Version of the HTTP API.</summary>
    public required int Api { get; init; }

    /// <summary>The silo that places shards; null where nobody does.</summary>
    public string? Leader { get; init; }

    public required SiloReply[] Silos { get; init; }

    public required ClusterCollectionReply[] Collections { get; init; }

    /// <summary>Copies that are on their way.</summary>
    public MoveReply[] Moves { get; init; } = [];

    /// <summary>The last training of every collection that had one, as the silo that answers knows them.</summary>
    public TrainingReply[] Trainings { get; init; } = [];
}

/// <summary>A silo.</summary>
internal sealed record SiloReply
{
    public required string Name { get; init; }

    /// <summary>Where it answers.</summary>
    public required string Url { get; init; }

    public string? Zone { get; init; }

    /// <summary>serving; draining, while it still serves and its shards go elsewhere; or leaving.</summary>
    public required string State { get; init; }

    /// <summary>Of its membership: higher after every start. 0 for a silo that is alone.</summary>
    public required long Epoch { get; init; }

    /// <summary>Memory that its process may use.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Memory that its process uses.</summary>
    public required long ResidentBytes { get; init; }

    /// <summary>Vectors that wait or are being searched.</summary>
    public required int Waiting { get; init; }

    /// <summary>Shards that it serves.</summary>
    public required int Shards { get; init; }

    /// <summary>Vectors of clients that it answered in the last ten seconds, per second; null where it does not tell.</summary>
    public double? QueriesPerSecond { get; init; }

    /// <summary>Half of them took at most this, ms.</summary>
    public double? LatencyP50Ms { get; init; }

    /// <summary>99 of 100 took at most this, ms.</summary>
    public double? LatencyP99Ms { get; init; }

    /// <summary>Share of the time of its search threads that was worked, 0 .. 1.</summary>
    public double? BusyShare { get; init; }
}

/// <summary>Who holds what of a collection: its present shard map.</summary>
/// <param name="Name">Name of the collection.</param>
/// <param name="MapVersion">Version of the map.</param>
/// <param name="CodesVersion">Number of the training whose codes queries use; 0: there are no codes.</param>
/// <param name="Vectors">Vectors of all shards.</param>
/// <param name="Shards">The shards in the order of their slots.</param>
/// <param name="Coming">Shards that silos open to take the place of some of these.</param>
internal sealed record ClusterCollectionReply(
    string Name, long MapVersion, uint CodesVersion, long Vectors, ShardReply[] Shards, ShardReply[] Coming);

/// <summary>A shard: the slots [SlotFrom, SlotTo) and its copies.</summary>
internal sealed record ShardReply(int Shard, int SlotFrom, int SlotTo, long Vectors, ReplicaReply[] Replicas);

/// <summary>A copy of a shard in a silo: serving, opening or unavailable, and why.</summary>
internal sealed record ReplicaReply(string Silo, long Epoch, string State, string? Reason);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(SearchBody))]
[JsonSerializable(typeof(SingleReply))]
[JsonSerializable(typeof(BatchReply))]
[JsonSerializable(typeof(ProblemReply))]
[JsonSerializable(typeof(CollectionReply))]
[JsonSerializable(typeof(CollectionsReply))]
[JsonSerializable(typeof(ClusterReply))]
[JsonSerializable(typeof(DrainBody))]
[JsonSerializable(typeof(DrainReply))]
[JsonSerializable(typeof(RebalanceBody))]
[JsonSerializable(typeof(PlanReply))]
[JsonSerializable(typeof(TrainBody))]
[JsonSerializable(typeof(TrainingReply))]
[JsonSerializable(typeof(HealthReply))]
[JsonSerializable(typeof(ReadyReply))]
[JsonSerializable(typeof(SlowQueryLine))]
internal sealed partial class HttpJson : JsonSerializerContext;

/// <summary>What requests are read and answers are written with.</summary>
internal static class Wire
{
    /// <summary>Quotes and signs are written as they are: an answer is never part of a page.</summary>
    public static HttpJson Json { get; } = new(new JsonSerializerOptions(HttpJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
