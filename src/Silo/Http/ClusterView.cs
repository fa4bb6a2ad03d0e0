using System.Globalization;
using Signpost.Client.Wire;
using Signpost.Engine.Cluster;
using Signpost.Silo.Cluster;

namespace Signpost.Silo.Http;

/// <summary>What GET /v1/cluster tells.</summary>
internal static class ClusterView
{
    /// <summary>The embedded runtime: this process is the only silo and has every shard.</summary>
    /// <param name="served">What is served.</param>
    /// <param name="waiting">Vectors that wait for a search thread.</param>
    /// <param name="url">Where this process listens.</param>
    /// <param name="traffic">Its queries.</param>
    public static ClusterReply Embedded(ServedFolders served, int waiting, string url, SiloTraffic traffic)
    {
        ShardMap[] maps = [.. served.Collections.Select(collection => collection.Map).OrderBy(map => map.Collection, StringComparer.Ordinal)];
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
            QueriesPerSecond = traffic.QueriesPerSecond,
            LatencyP50Ms = traffic.LatencyP50Ms,
            LatencyP99Ms = traffic.LatencyP99Ms,
            BusyShare = traffic.BusyShare,
        };
        return new ClusterReply
        {
            Runtime = "embedded",
            Silo = silo.Name,
            Version = Server.Version,
            Api = int.Parse(Api.Version, CultureInfo.InvariantCulture),
            Silos = [silo],
            Collections = [.. maps.Select(Describe)],
            Trainings = [.. served.Trainings.Select(TrainingReply.Of)],
        };
    }

    /// <summary>A silo of several, as it sees them.</summary>
    public static ClusterReply Of(ClusterSilo silo)
    {
        ShardMap[] maps = [.. silo.Collections.Select(collection => collection.Map)];
        return new ClusterReply
        {
            Cluster = silo.Options.Cluster,
            Runtime = silo.Options.Runtime,
            Silo = silo.Options.Silo,
            Version = Server.Version,
            Api = int.Parse(Api.Version, CultureInfo.InvariantCulture),
            Leader = silo.Leader,
            Silos = [.. silo.Members.Select(member => Describe(member, maps))],
            Collections = [.. maps.Select(Describe)],
            Moves =
            [
                .. silo.Moves.Select(m => new MoveReply(m.Move.Shard.Collection, m.Move.Shard.Number, m.Move.From, m.Move.To, m.Move.Bytes, m.For.TotalSeconds)),
            ],
            Trainings = [.. silo.Trainer.Known.Select(TrainingReply.Of)],
        };
    }

    /// <summary>A shard map as answers tell it.</summary>
    public static ClusterCollectionReply Describe(ShardMap map) =>
        new(map.Collection, map.Version, map.CodesVersion, map.Vectors, [.. map.Shards.Select(Describe)], [.. map.Coming.Select(Describe)]);

    private static SiloReply Describe(Member member, ShardMap[] maps) => new()
    {
        Name = member.Silo.Name,
        Url = member.Note.Url,
        Zone = member.Note.Zone.Length > 0 ? member.Note.Zone : null,
        State = member.Note.IsLeaving ? "leaving" : member.Note.IsDraining ? "draining" : "serving",
        Epoch = member.Silo.Epoch,
        MemoryBytes = member.Note.MemoryBytes,
        ResidentBytes = member.Note.ResidentBytes,
        Waiting = member.Note.Waiting,
        Shards = maps.Sum(map => map.Shards.Count(shard => shard.Serving.Any(replica => replica.Silo == member.Silo))),
        QueriesPerSecond = member.Note.Traffic?.QueriesPerSecond,
        LatencyP50Ms = member.Note.Traffic?.LatencyP50Ms,
        LatencyP99Ms = member.Note.Traffic?.LatencyP99Ms,
        BusyShare = member.Note.Traffic?.BusyShare,
    };

    private static ShardReply Describe(ShardEntry shard) =>
        new(shard.Id.Number, shard.Slots.From, shard.Slots.To, shard.Vectors, [.. shard.Replicas.Select(Describe)]);

    private static ReplicaReply Describe(Replica replica) =>
        new(replica.Silo, replica.Epoch, replica.State.ToString().ToLowerInvariant(), replica.Reason);
}
