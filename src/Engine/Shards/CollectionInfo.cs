using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Shards;

/// <summary>What an open collection is and takes. Bytes and vectors are those of the shards that are open.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Dim">Components of a vector.</param>
/// <param name="Type">Type of a component.</param>
/// <param name="Metric">Metric.</param>
/// <param name="R">Most out-neighbours of a vertex.</param>
/// <param name="Codes">Its quantizer; null where there are no codes.</param>
/// <param name="Shards">Shards in all.</param>
/// <param name="ShardsOpen">Shards that can be searched.</param>
/// <param name="Vectors">Vectors in all.</param>
/// <param name="Memory">Bytes of the open shards, summed.</param>
public sealed record CollectionInfo(
    string Name, int Dim, ElementType Type, Metric Metric, int R, CodesInfo? Codes, int Shards, int ShardsOpen, long Vectors, SegmentMemory Memory)
{
    /// <summary>Bytes per vector that stay in memory: graph, codes, id and, where they are loaded, the vector.</summary>
    public double ResidentBytesPerVector => Memory.ResidentPerVector;

    /// <summary>Bytes per vector that stay in the file: the vector, where it is mapped.</summary>
    public double MappedBytesPerVector => Memory.Count == 0 ? 0 : (double)Memory.VectorsMapped / Memory.Count;
}
