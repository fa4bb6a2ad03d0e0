using Signpost.Engine.Graphs;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Search;

/// <summary>What a search needs of one segment. Plain pointers: whoever made the view keeps the memory alive.</summary>
public readonly unsafe struct SegmentView
{
    /// <summary>Vectors of the segment; row i belongs to vertex i.</summary>
    public required VectorBlock Vectors { get; init; }

    /// <summary>Metric of the collection.</summary>
    public required Metric Metric { get; init; }

    /// <summary>The proximity graph.</summary>
    public required Graph Graph { get; init; }

    /// <summary>Codes by vertex, <see cref="ITableCoder.CodeBytes"/> each, or null.</summary>
    public byte* Codes { get; init; }

    /// <summary>The quantizer of <see cref="Codes"/>, or null.</summary>
    public IQuantizer? Quantizer { get; init; }

    /// <summary>What made <see cref="Codes"/>: the quantizer unless another is given; or null.</summary>
    public ITableCoder? Coder { get => field ?? Quantizer; init; }
}
