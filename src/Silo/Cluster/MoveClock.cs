using Signpost.Engine.Cluster;

namespace Signpost.Silo.Cluster;

/// <summary>Which copies are on their way, and since when this process has known of it: maps have no times. Thread-safe.</summary>
/// <param name="time">Only its monotonic clock is used.</param>
internal sealed class MoveClock(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(ShardId Shard, string To), long> _since = [];
    private string _key = "";
    private PlannedMove[] _moves = [];

    /// <summary>Takes the time of copies that are new on their way.</summary>
    public void See(IReadOnlyList<ShardMap> maps)
    {
        HashSet<(ShardId, string)> opening =
        [
            .. maps.SelectMany(map => map.Shards)
                .SelectMany(shard => shard.Replicas.Where(r => r.State == ReplicaState.Opening).Select(r => (shard.Id, r.Silo))),
        ];
        lock (_lock)
        {
            foreach ((ShardId, string) gone in _since.Keys.Where(key => !opening.Contains(key)).ToArray())
            {
                _since.Remove(gone);
            }

            foreach ((ShardId, string) key in opening)
            {
                _since.TryAdd(key, time.GetTimestamp());
            }
        }
    }

    /// <summary>The copies of <paramref name="maps"/> that are on their way.</summary>
    /// <param name="maps">The present maps.</param>
    /// <param name="members">The silos: which of them drain.</param>
    /// <param name="forecast">Tells where moves lead from; asked when something is on its way, and the maps or the silos that drain are others than before.</param>
    public IReadOnlyList<(PlannedMove Move, TimeSpan For)> Of(IReadOnlyList<ShardMap> maps, IReadOnlyList<Member> members, Func<Forecast> forecast)
    {
        See(maps);
        lock (_lock)
        {
            IEnumerable<string> draining = members.Where(member => member.Note.IsDraining).Select(member => member.Silo.Name);
            string key = string.Join(' ', maps.Select(map => $"{map.Collection} {map.Version}").Order(StringComparer.Ordinal).Concat(draining));
            if (key != _key)
            {
                _moves = _since.Count == 0 ? [] : Begun(forecast);
                _key = key;
            }

            return [.. _moves.Where(move => _since.ContainsKey((move.Shard, move.To))).Select(move => (move, time.GetElapsedTime(_since[(move.Shard, move.To)])))];
        }
    }

    private static PlannedMove[] Begun(Func<Forecast> forecast)
    {
        try
        {
            return [.. forecast().Moves.Where(move => move.HasBegun)];
        }
        catch (IOException)
        {
            return []; // the store cannot be reached: how large they are is known from it
        }
    }
}
