using System.Globalization;
using Signpost.Client.Wire;
using Signpost.Engine.Cluster;

namespace Signpost.Silo.Http;

/// <summary>What GET /v1/cluster tells.</summary>
internal static class ClusterView
{
    /// <summary>The embedded runtime: this process is the only silo and has every shard.</summary>
    /// <param name="collections">What is served.</param>
    /// <param name="waiting">Vectors that wait for a search thread.</param>
    /// <param name="url">Where this process listens.</param>
    public static ClusterReply Embedded(IEnumerable<OpenCollection> collections, int waiting, string url)
    {
        ShardMap[] maps = [.. collections.Select(collection => collection.Map).OrderBy(map => map.Collection, StringComparer.Ordinal)];
        var silo = new SiloReply
        {
            Name = EmbeddedCluster.Silo,
            Url = url,
            State = "serving",
            Epoch = 0,
            MemoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            ResidentBytes = Environment.WorkingSet,
            Waiting = waiting,
            Shards = maps.Sum(map => map.Shards.Count(shard => shard.IsServing)),
        };
        return new ClusterReply
        {
            Runtime = "embedded",
            Silo = silo.Name,
            Version = Server.Version,
            Api = int.Parse(Api.Version, CultureInfo.InvariantCulture),
            Silos = [silo],
            Collections = [.. maps.Select(Describe)],
        };
    }

    /// <summary>A shard map as answers tell it.</summary>
    public static ClusterCollectionReply Describe(ShardMap map) =>
        new(map.Collection, map.Version, map.CodesVersion, map.Vectors, [.. map.Shards.Select(Describe)]);

    private static ShardReply Describe(ShardEntry shard) =>
        new(shard.Id.Number, shard.Slots.From, shard.Slots.To, shard.Vectors, [.. shard.Replicas.Select(Describe)]);

    private static ReplicaReply Describe(Replica replica) =>
        new(replica.Silo, replica.Epoch, replica.State.ToString().ToLowerInvariant(), replica.Reason);
}
