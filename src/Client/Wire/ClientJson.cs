using System.Text.Json.Serialization;

namespace Signpost.Client.Wire;

/// <summary>A refusal as the API gives it (application/problem+json).</summary>
internal sealed record ProblemBody
{
    public string Detail { get; init; } = "";

    public string Code { get; init; } = "";

    public string Got { get; init; } = "";

    public string Expected { get; init; } = "";

    public string Mend { get; init; } = "";
}

/// <summary>What is JSON on the wire. Names that a newer silo may add are passed over.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ClusterInfo))]
[JsonSerializable(typeof(CollectionInfo))]
[JsonSerializable(typeof(CollectionList))]
[JsonSerializable(typeof(ProblemBody))]
internal sealed partial class ClientJson : JsonSerializerContext;
