using Signpost.Engine.Base;

namespace Signpost.Engine.Cluster;

/// <summary>
/// Makes a silo hold what the maps give it: opens, closes, turns to new codes. One step at a time, each of which may be the last one
/// before a crash: whatever was done is found again by looking.
/// </summary>
/// <param name="state">Where the maps are.</param>
/// <param name="name">Name of this silo.</param>
/// <param name="shards">What it has open.</param>
/// <param name="time">For the pause after a failure.</param>
/// <param name="retryAfter">Pause before a shard that could not be opened is tried again.</param>
public sealed class SiloAgent(IClusterState state, string name, ISiloShards shards, TimeProvider time, TimeSpan retryAfter)
{
    private readonly Dictionary<ShardId, long> _triedAt = [];

    /// <summary>Told every map that this agent has read.</summary>
    public Action<ShardMap> Seen { get; init; } = _ => { };

    /// <summary>Does what there is to do; to be called again and again, and soon after a map has changed.</summary>
    /// <returns>The epochs under which the maps say that this silo serves.</returns>
    /// <exception cref="IOException">The cluster state cannot be reached; what is open stays so.</exception>
    public async ValueTask<IReadOnlySet<long>> StepAsync(Work work)
    {
        var epochs = new HashSet<long>();
        var maps = new List<ShardMap>();
        foreach (string collection in await state.CollectionsAsync(work.Cancel).ConfigureAwait(false))
        {
            if (await state.ReadAsync(collection, work.Cancel).ConfigureAwait(false) is { } map)
            {
                maps.Add(map);
                Seen(map);
                epochs.UnionWith(map.Shards.SelectMany(shard => shard.Replicas).Where(r => r.Silo == name && r.State == ReplicaState.Serving).Select(r => r.Epoch));
            }
        }

        foreach (ShardMap map in maps)
        {
            Reconcile(map, work);
        }

        return epochs;
    }

    private void Reconcile(ShardMap map, Work work)
    {
        // By name, not by epoch: a silo that comes back finds what it had open, or opens it while the leader learns its new epoch.
        HashSet<int> wanted = [.. map.Shards.Where(shard => shard.Replicas.Any(r => r.Silo == name)).Select(shard => shard.Id.Number)];
        foreach (HeldShard held in shards.Held.Where(held => held.Collection == map.Collection && !wanted.Contains(held.Number)))
        {
            shards.Close(new ShardId(held.Collection, held.Number));
        }

        shards.Refresh(map.Collection, map.CodesVersion, work);
        foreach (int number in wanted.Order())
        {
            work.Cancel.ThrowIfCancellationRequested();
            var shard = new ShardId(map.Collection, number);
            if (IsDue(shard))
            {
                _triedAt[shard] = time.GetTimestamp();
                shards.Open(shard, work);
            }
        }
    }

    private bool IsDue(ShardId shard)
    {
        HeldShard? held = shards.Held.FirstOrDefault(h => h.Number == shard.Number && h.Collection == shard.Collection);
        return held is null || (held.Reason is not null && time.GetElapsedTime(_triedAt.GetValueOrDefault(shard)) >= retryAfter);
    }
}
