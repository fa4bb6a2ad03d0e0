using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Shards;

/// <summary>How a collection is built.</summary>
/// <remarks>
/// Recipe: one shard as long as a build fits into memory, because one graph is searched faster than two halves. Codes where
/// vectors shall stay in the file and be touched only to re-rank; none where they fit into memory and exact distances are wanted.
/// </remarks>
public sealed record BuildOptions
{
    /// <summary>Name of the collection: 1 to 128 of letters, digits, '.', '_', '-', the first a letter or digit.</summary>
    public required string Name { get; init; }

    /// <summary>Shards, 1 .. 4,096; each is built after the other, so more shards need less memory. 1: the fastest to search.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>What "near" means. L2: the metric of most data sets.</summary>
    public Metric Metric { get; init; } = Metric.L2;

    /// <summary>How the graph of each shard is built.</summary>
    public GraphOptions Graph { get; init; } = new();

    /// <summary>Kind of codes; null: none.</summary>
    public QuantizerKind? Quantizer { get; init; }

    /// <summary>How the quantizer is trained; not used without one.</summary>
    public QuantizerOptions Codes { get; init; } = new();

    /// <summary>Bytes that the build may use; one that would need more is refused before it begins.</summary>
    public long MemoryLimit { get; init; } = long.MaxValue;

    /// <summary>Whether a finished collection in the folder may be replaced. It stays whole until the new one is.</summary>
    public bool Overwrite { get; init; }

    private const int MostShards = 4096;

    /// <summary>Everything that is wrong for vectors of <paramref name="dim"/> components; empty when nothing is.</summary>
    public IReadOnlyList<Problem> Validate(int dim)
    {
        var problems = new List<Problem>();
        if (!CollectionFiles.IsName(Name))
        {
            problems.Add(new Problem(
                ProblemCode.InvalidArgument, "name", $"'{Name}'", "1 to 128 of A-Z a-z 0-9 . _ -, the first a letter or digit",
                "Choose another name."));
        }

        if (Shards is < 1 or > MostShards)
        {
            problems.Add(new Problem(
                ProblemCode.InvalidArgument, "shards", $"{Shards}", $"1 .. {MostShards}",
                "Use one shard unless its build does not fit into memory."));
        }

        if (!Enum.IsDefined(Metric))
        {
            problems.Add(new Problem(ProblemCode.InvalidArgument, "metric", $"{Metric}", "L2, InnerProduct or Cosine", "Choose one of them."));
        }

        problems.AddRange(Graph.Validate());
        if (Quantizer is not null)
        {
            problems.AddRange(Codes.Validate(dim));
            if (Quantizer is not (QuantizerKind.Pq or QuantizerKind.Opq))
            {
                problems.Add(new Problem(
                    ProblemCode.NotSupported, "quantizer", $"{Quantizer}", "Pq or Opq", "Other kinds are trained on a built collection."));
            }
        }

        return problems;
    }
}
