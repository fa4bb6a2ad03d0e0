using System.Text.Json;
using System.Text.Json.Serialization;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Training;

namespace Signpost.Engine.Cluster;

/// <summary>How a training in a cluster is going.</summary>
public enum TrainingState
{
    /// <summary>It is at work, or waits for a silo that goes on with it.</summary>
    Running,

    /// <summary>Queries use its codes.</summary>
    Done,

    /// <summary>It came to nothing, and the codes before are in use; <see cref="TrainingRecord.Reason"/> says why.</summary>
    Failed,

    /// <summary>Somebody stopped it, and the codes before are in use.</summary>
    Stopped,
}

/// <summary>What a training is doing. Its trainer may be lost in any of these, and another silo goes on.</summary>
public enum TrainingStep
{
    /// <summary>It is written down, and nothing else has been done.</summary>
    Ordered,

    /// <summary>Vectors are sampled and the quantizer is learned.</summary>
    Learning,

    /// <summary>One copy of every shard encodes its vectors; the codes go to the segment store.</summary>
    Encoding,

    /// <summary>The other copies open these codes beside those in use.</summary>
    Opening,

    /// <summary>The manifest is replaced: the collection has the new codes.</summary>
    Committing,

    /// <summary>Queries use the old codes until every copy that serves has the new ones.</summary>
    Turning,

    /// <summary>Files that are of no use any more are removed.</summary>
    Cleaning,
}

/// <summary>What is to be learned, and how fast.</summary>
public sealed record TrainingOrder
{
    /// <summary>Kind of the quantizer.</summary>
    public required QuantizerKind Kind { get; init; }

    /// <summary>Settings of PQ and OPQ.</summary>
    public QuantizerOptions? Codes { get; init; }

    /// <summary>Settings of RPQ.</summary>
    public RpqOptions? Rpq { get; init; }

    /// <summary>Threads of the trainer and of each shard that encodes; at least 1, and no more than there are cores are used.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>How it is learned.</summary>
    [JsonIgnore]
    public QuantizerMethod Method => Kind == QuantizerKind.Rpq ? new RpqMethod(Rpq ?? new RpqOptions()) : new VectorQuantizerMethod(Kind, Codes ?? new QuantizerOptions());

    /// <summary>The order of <paramref name="method"/>.</summary>
    public static TrainingOrder Of(QuantizerMethod method, int threads) => method switch
    {
        RpqMethod rpq => new TrainingOrder { Kind = method.Kind, Rpq = rpq.Options, Threads = threads },
        VectorQuantizerMethod other => new TrainingOrder { Kind = method.Kind, Codes = other.Options, Threads = threads },
        _ => throw new ArgumentOutOfRangeException(nameof(method), method, "unknown method"),
    };

    /// <summary>The order as text.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, TrainingJson.Default.TrainingOrder);

    /// <summary>The order that <paramref name="text"/> is.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public static TrainingOrder Read(ReadOnlySpan<byte> text) => JsonSerializer.Deserialize(text, TrainingJson.Default.TrainingOrder) ?? throw new JsonException("null");
}

/// <summary>A moment of a training of RPQ.</summary>
/// <param name="Step">Steps made by then.</param>
/// <param name="Loss">Loss of the step; null where the graph was looked at.</param>
/// <param name="Recall">recall@10 of held-out queries on codes, 0 .. 1; null where they were not asked.</param>
public readonly record struct TrainingPoint(long Step, double? Loss, double? Recall);

/// <summary>A training of a collection: what was ordered, how far it is, how it ended. It stands in the segment store, so that it outlives its trainer.</summary>
public sealed record TrainingRecord
{
    /// <summary>Most <see cref="Points"/>; of more, every other loss is left out, or every other recall where these are most; never the first.</summary>
    public const int PointsMax = 256;

    /// <summary>Name of its file in the segment store.</summary>
    public const string FileName = "training.json";

    /// <summary>Name of the collection.</summary>
    public required string Collection { get; init; }

    /// <summary>The silo that trains, or was the last to do so.</summary>
    public required string Silo { get; init; }

    /// <summary>Of the lease under which that silo trains, or above it: what one of a lower epoch writes is out of date.</summary>
    public required long Epoch { get; init; }

    /// <summary>Counts the trainings of the collection, from 1; not every one of them makes codes.</summary>
    public required long Number { get; init; }

    /// <summary>What was ordered.</summary>
    public required TrainingOrder Order { get; init; }

    /// <summary>What the collection was built as when it was ordered (<see cref="Storage.CollectionManifest.Lineage"/>).</summary>
    public string Lineage { get; init; } = "";

    /// <summary>Number of the codes that were in use when it was ordered; 0: none.</summary>
    public uint From { get; init; }

    /// <summary>How it is going.</summary>
    public TrainingState State { get; init; }

    /// <summary>What it is doing, or was when it ended.</summary>
    public TrainingStep Step { get; init; }

    /// <summary>The part of the step, in a few words.</summary>
    public string Phase { get; init; } = "";

    /// <summary>Units of the phase that are done.</summary>
    public long PhaseDone { get; init; }

    /// <summary>Units of the phase in all.</summary>
    public long PhaseTotal { get; init; }

    /// <summary>Number of the training whose codes these are to be, or are: from the moment at which it is known.</summary>
    public uint CodesVersion { get; init; }

    /// <summary>Seconds that silos have worked on it.</summary>
    public double Seconds { get; init; }

    /// <summary>How often another silo, or a later process, has gone on with it.</summary>
    public int Resumed { get; init; }

    /// <summary>Vectors that it learned from.</summary>
    public long Sampled { get; init; }

    /// <summary>Mean squared error of the nearest codewords over these; codes of rpq, which are fitted to neighbours, have a larger one. Null before it is known.</summary>
    public double? Error { get; init; }

    /// <summary>How learning went, in order; none for PQ and OPQ.</summary>
    public IReadOnlyList<TrainingPoint> Points { get; init; } = [];

    /// <summary>Why it failed, or what it waits for; null where there is nothing to say.</summary>
    public string? Reason { get; init; }

    /// <summary>Files of the store that are its business: those of them that no manifest names in the end are removed.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>The record as text, for the store.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, TrainingJson.Default.TrainingRecord);

    /// <summary>The record as text without its files, for the note beside a lease.</summary>
    public string WriteNote() => JsonSerializer.Serialize(this with { Files = [] }, TrainingJson.Default.TrainingRecord);

    /// <summary>The record that <paramref name="text"/> is; null where it is none, for example of another version of this program.</summary>
    public static TrainingRecord? Read(ReadOnlySpan<byte> text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, TrainingJson.Default.TrainingRecord);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The same with one more point.</summary>
    public TrainingRecord With(TrainingPoint point)
    {
        List<TrainingPoint> points = [.. Points, point];
        if (points.Count > PointsMax)
        {
            bool ofLosses = points.Count(p => p.Recall is null) > PointsMax / 2;
            int seen = 0;
            points.RemoveAll(p => p.Recall is null == ofLosses && seen++ % 2 == 1);
        }

        return this with { Points = points };
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(TrainingOrder))]
[JsonSerializable(typeof(TrainingRecord))]
internal sealed partial class TrainingJson : JsonSerializerContext;
