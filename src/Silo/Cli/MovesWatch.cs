using System.Diagnostics;
using Signpost.Client;
using Signpost.Silo.Cli.Report;

namespace Signpost.Silo.Cli;

/// <summary>A move that a command has seen end.</summary>
internal sealed record EndedMove(string Collection, int Shard, string? From, string To, long Bytes, double Seconds);

/// <summary>Follows the moves of a cluster and says each when it begins and when it has ended.</summary>
internal sealed class MovesWatch(Session session)
{
    private readonly Dictionary<(string Collection, int Shard, string To), (MoveInfo Move, long At)> _open = [];

    /// <summary>Those that have ended with a copy that serves.</summary>
    public List<EndedMove> Ended { get; } = [];

    /// <summary>Looks at the cluster once more.</summary>
    public void See(ClusterInfo cluster)
    {
        foreach (MoveInfo move in cluster.Moves)
        {
            if (_open.TryAdd((move.Collection, move.Shard, move.To), (move, Stopwatch.GetTimestamp())))
            {
                session.Say($"{Words(move)} ...");
            }
        }

        foreach (((string Collection, int Shard, string To) key, (MoveInfo move, long at)) in _open.ToArray())
        {
            if (cluster.Moves.Any(m => (m.Collection, m.Shard, m.To) == key))
            {
                continue;
            }

            _open.Remove(key);
            bool serves = cluster.Collections.Where(c => c.Name == key.Collection).SelectMany(c => c.Shards).Where(s => s.Shard == key.Shard)
                .SelectMany(s => s.Replicas).Any(r => r.Silo == key.To && r.State == "serving");
            double seconds = move.Seconds + Stopwatch.GetElapsedTime(at).TotalSeconds;
            session.Say($"{Words(move)}: {(serves ? $"serves after {PageText.Number(seconds, "N1")} s" : "given up")}");
            if (serves)
            {
                Ended.Add(new EndedMove(move.Collection, move.Shard, move.From, move.To, move.Bytes, seconds));
            }
        }
    }

    private static string Words(MoveInfo move) =>
        $"{move.Collection}/{move.Shard}: {move.From ?? "one more copy"} -> {move.To}, {PageText.Number(move.Bytes / 1048576.0, "N1")} MiB";
}
