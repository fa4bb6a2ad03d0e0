using Orleans;
using Orleans.Placement;
using Orleans.Runtime;

namespace Signpost.Grains.Orleans;

/// <summary>A grain of this strategy is in the silo that its key names; the silo's placement director finds it.</summary>
[GenerateSerializer]
[Immutable]
[Alias("signpost.placement")]
public sealed class ShardPlacement : PlacementStrategy
{
    /// <summary>It has no settings.</summary>
    public static readonly ShardPlacement Instance = new();
}

/// <summary>Places grains of a class by <see cref="ShardPlacement"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ShardPlacementAttribute() : PlacementAttribute(ShardPlacement.Instance);
