using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;
using Signpost.Silo.Http;

namespace Signpost.Silo.Cluster;

/// <summary>A collection of a cluster: its coordinator in this silo, and those of its shards that are open here.</summary>
/// <param name="map">The first map.</param>
/// <param name="collection">What of it is here.</param>
/// <param name="coordinator">Asks for the rest.</param>
internal sealed class ClusterCollection(ShardMap map, Collection collection, Coordinator coordinator) : IServedCollection
{
    /// <inheritdoc/>
    public string Name => map.Collection;

    /// <summary>What of it is here.</summary>
    public Collection Shards => collection;

    /// <inheritdoc/>
    public int Dim => collection.Manifest.Dim;

    /// <inheritdoc/>
    public ElementType Type => collection.Manifest.Type;

    /// <inheritdoc/>
    public Metric Metric => collection.Manifest.Metric;

    /// <inheritdoc/>
    public bool HasCodes => Map.CodesVersion != 0;

    /// <inheritdoc/>
    public ShardMap Map => coordinator.Map;

    /// <inheritdoc/>
    public QueryPool Queries => collection.Queries;

    /// <inheritdoc/>
    public string Quantizer => collection.Manifest.Quantizer?.Info.Kind.ToString().ToLowerInvariant() ?? "none";

    /// <inheritdoc/>
    public SegmentMemory Memory => collection.Info.Memory;

    /// <inheritdoc/>
    public double ResidentBytesPerVector => Memory.ResidentPerVector;

    /// <summary>Queries use <paramref name="newer"/> from now on, unless they use a newer one.</summary>
    public void Use(ShardMap newer) => coordinator.Use(newer);

    /// <inheritdoc/>
    public ValueTask<Outcome<SearchAnswer>> SearchAsync(Query query, in SearchRequest request, Deadline deadline, Memory<Hit> target) =>
        coordinator.SearchAsync(query, request, deadline, target, CancellationToken.None);
}
