namespace Signpost.Client;

/// <summary>A collection that is served.</summary>
public sealed record CollectionInfo
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Vectors in it.</summary>
    public required long Vectors { get; init; }

    /// <summary>Components of a vector.</summary>
    public required int Dim { get; init; }

    /// <summary>float32, float16, uint8 or int8: how components are stored. Queries are float32 always.</summary>
    public required string ElementType { get; init; }

    /// <summary>l2, ip or cosine.</summary>
    public required string Metric { get; init; }

    /// <summary>Shards that it is cut into.</summary>
    public required int Shards { get; init; }

    /// <summary>Kind of its codes, or none.</summary>
    public required string Quantizer { get; init; }

    /// <summary>Memory in use per vector: graph, codes, ids.</summary>
    public required double ResidentBytesPerVector { get; init; }
}

/// <summary>All collections, as the API gives them.</summary>
internal sealed record CollectionList(CollectionInfo[] Collections);
