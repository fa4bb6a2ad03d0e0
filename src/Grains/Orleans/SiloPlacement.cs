using Orleans;
using Orleans.Placement;
using Orleans.Runtime;

namespace Signpost.Grains.Orleans;

/// <summary>A grain of this strategy is in the silo that its key names, alone or last in a <see cref="ShardKey"/>; the silo's placement director finds it.</summary>
[GenerateSerializer]
[Immutable]
[Alias("signpost.placement")]
public sealed class SiloPlacement : PlacementStrategy
{
    /// <summary>It has no settings.</summary>
    public static readonly SiloPlacement Instance = new();
}

/// <summary>Places grains of a class by <see cref="SiloPlacement"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class SiloPlacementAttribute() : PlacementAttribute(SiloPlacement.Instance);
