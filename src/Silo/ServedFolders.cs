using Signpost.Engine.Cluster;
using Signpost.Silo.Http;
using Signpost.Silo.Telemetry;

namespace Signpost.Silo;

/// <summary>The collections of some folders, all open in this process: what a silo that is alone serves.</summary>
internal sealed class ServedFolders(IReadOnlyDictionary<string, OpenCollection> collections) : IServed
{
    /// <inheritdoc/>
    public IEnumerable<IServedCollection> Collections => collections.Values.OrderBy(c => c.Name, StringComparer.Ordinal);

    /// <inheritdoc/>
    public string? NotReady => null;

    /// <inheritdoc/>
    public SiloFacts? Facts => null;

    /// <inheritdoc/>
    public IServedCollection? Find(string name) => collections.GetValueOrDefault(name);

    /// <inheritdoc/>
    public ClusterReply Describe(string url, int waiting, SiloTraffic traffic) => ClusterView.Embedded(Collections, waiting, url, traffic);
}
