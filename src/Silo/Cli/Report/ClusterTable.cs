using Signpost.Client;

namespace Signpost.Silo.Cli.Report;

/// <summary>A cluster as tables: its silos, and each collection's shards with their copies.</summary>
internal static class ClusterTable
{
    /// <summary>Shards of a collection that are shown one by one; of more, those that are not as they should be.</summary>
    private const int MostShards = 32;

    /// <summary>Prints <paramref name="cluster"/>.</summary>
    public static void Print(Session session, ClusterInfo cluster)
    {
        session.Say($"{cluster.Cluster ?? "one silo"}, {cluster.Runtime}; leader {cluster.Leader ?? "none"}; as {cluster.Silo} sees it");
        string[][] silos =
        [
            .. cluster.Silos.Select(silo => (string[])[
                silo.Name, silo.State, silo.Url, silo.Zone ?? "", $"{silo.Epoch}", $"{silo.Shards}", MiB(silo.ResidentBytes), MiB(silo.MemoryBytes), $"{silo.Waiting}",
                Number(silo.QueriesPerSecond), Number(silo.LatencyP50Ms), Number(silo.LatencyP99Ms)]),
        ];
        if (silos.Length > 0)
        {
            Terminal.Print(["silo", "state", "url", "zone", "epoch", "shards", "MiB", "of MiB", "waiting", "queries/s", "p50 ms", "p99 ms"], silos, [4, 3, 10, 7], Console.Out);
        }

        foreach (CollectionMap collection in cluster.Collections)
        {
            int whole = collection.Shards.Count(shard => shard.Replicas.Length > 0 && shard.Replicas.All(r => r.State == "serving"));
            session.Say($"{collection.Name}: {PageText.Number(collection.Vectors, "N0")} vectors, map version {collection.MapVersion}, codes version "
                + $"{collection.CodesVersion}, {whole} of {PageText.Plural(collection.Shards.Length, "shard")} whole");
            string[][] shards =
            [
                .. collection.Shards.Where(shard => collection.Shards.Length <= MostShards || shard.Replicas.Any(r => r.State != "serving"))
                    .Concat(collection.Coming)
                    .Select(shard => (string[])[
                        $"{shard.Shard}{(collection.Coming.Contains(shard) ? " (coming)" : "")}", $"{shard.SlotFrom} .. {shard.SlotTo - 1}", PageText.Number(shard.Vectors, "N0"),
                        string.Join(", ", shard.Replicas.Select(Words))]),
            ];
            if (shards.Length > 0)
            {
                Terminal.Print(["shard", "slots", "vectors", "copies"], shards, [1, 2], Console.Out);
            }
        }

        PrintMoves(cluster);
        foreach (TrainingInfo training in cluster.Trainings)
        {
            session.Say($"training {training.Number} of {training.Collection}: {training.State}, {training.Method}, codes version {training.CodesVersion}, {training.Step} in {training.Silo}"
                + (training.BestRecall is { } recall ? $", held-out recall@10 {PageText.Number(recall, "N4")}" : "")
                + (training.Reason is { } reason ? $": {reason}" : ""));
        }
    }

    private static void PrintMoves(ClusterInfo cluster)
    {
        string[][] moves =
        [
            .. cluster.Moves.Select(move => (string[])[
                $"{move.Collection}/{move.Shard}", move.From ?? "one more copy", move.To, PageText.Number(move.Bytes / 1048576.0, "N1"), PageText.Number(move.Seconds, "N0")]),
        ];
        if (moves.Length > 0)
        {
            Terminal.Print(["on its way", "from", "to", "MiB", "since, s"], moves, [], Console.Out);
        }
    }

    private static string Words(ReplicaInfo replica) =>
        replica.State == "serving" ? replica.Silo : $"{replica.Silo} ({replica.State}{(replica.Reason is null ? "" : $": {replica.Reason}")})";

    private static string Number(double? value) => value is { } number ? PageText.Number(number, "0.#") : "";

    private static string MiB(long bytes) => PageText.Number(bytes / 1048576.0, "N0");
}
