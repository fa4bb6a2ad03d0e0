using System.Collections.Immutable;
using Signpost.Engine.Base;

namespace Signpost.Engine.Cluster;

/// <summary>
/// Makes a silo hold what the maps give it: opens, closes, turns to new codes. One step at a time, each of which may be the last one
/// before a crash: whatever was done is found again by looking.
/// </summary>
/// <remarks>
/// Shards of which the fewest copies serve are opened first. One whose files are still being fetched is given up when the map does not
/// give it to this silo any more, or when another one is missing more. A shard that is open and not wanted any more is closed after
/// <see cref="Linger"/>: queries that began with the map before still find it.
/// </remarks>
/// <param name="state">Where the maps are.</param>
/// <param name="name">Name of this silo.</param>
/// <param name="shards">What it has open.</param>
/// <param name="time">For pauses.</param>
/// <param name="retryAfter">Pause before a shard that could not be opened is tried again.</param>
public sealed class SiloAgent(IClusterState state, string name, ISiloShards shards, TimeProvider time, TimeSpan retryAfter)
{
    private readonly Dictionary<ShardId, long> _triedAt = [];
    private readonly Dictionary<ShardId, long> _unwantedSince = [];
    private ImmutableDictionary<string, long> _goneBy = ImmutableDictionary<string, long>.Empty; // replaced whole, by any thread
    private volatile bool _mayClose = true; // whether the step under way may close something yet
    private volatile HashSet<ShardId> _coming = [];
    private volatile Opening? _opening;
    private volatile bool _isOutdated;

    /// <summary>Told every map that this agent has read.</summary>
    public Action<ShardMap> Seen { get; init; } = _ => { };

    /// <summary>How long a shard stays open after the map has given it to others.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Copies wanted of every shard: while fewer serve, opening one is urgent.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>Whether no map gave this silo anything in the last step, and nothing is open here any more.</summary>
    public bool IsEmpty { get; private set; }

    /// <summary>Whether at some time nothing was left that others miss: every such shard was open, or could not be opened.</summary>
    public bool HasOpened { get; private set; }

    /// <summary>
    /// Version of the map of each collection by which this agent goes: what that map gives to this silo and is open stays open until a later map
    /// takes it.
    /// </summary>
    public IReadOnlyDictionary<string, long> Maps => Volatile.Read(ref _goneBy);

    /// <summary>Does what there is to do; to be called again and again, and soon after a map has changed.</summary>
    /// <returns>The epochs under which the maps say that this silo serves.</returns>
    /// <exception cref="IOException">The cluster state cannot be reached; what is open stays so.</exception>
    public async ValueTask<IReadOnlySet<long>> StepAsync(Work work)
    {
        _isOutdated = false;
        _mayClose = true; // before reading: a map that is noticed from now on may be newer than those by which this step closes
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

        // By name, not by epoch: a silo that comes back finds what it had open, or opens it while the leader learns its new epoch.
        ShardEntry[] wanted = [.. maps.SelectMany(map => map.AllShards).Where(IsWanted)];
        _coming = [.. maps.SelectMany(map => map.Coming).Select(shard => shard.Id)];
        maps.ForEach(GoBy);
        maps.ForEach(map => Close(map, wanted));
        _mayClose = false;
        foreach (ShardMap map in maps)
        {
            shards.Refresh(map.Collection, map.CodesVersion, work);
        }

        Open(wanted, maps.ToDictionary(map => map.Collection, map => map.Lineage), work);
        HasOpened |= maps.Count > 0 && wanted.All(shard => !IsUrgent(shard) || StateOf(shard.Id) is not null);
        IsEmpty = wanted.Length == 0 && shards.Held.Count == 0;
        return epochs;
    }

    /// <summary>
    /// A newer map is known: what is being opened is given up if it does not fit any more. May be called by any thread, beside a step; another step is
    /// to follow.
    /// </summary>
    public void Notice(ShardMap map)
    {
        _isOutdated = true;
        if (!_mayClose)
        {
            GoBy(map); // the next step that closes something reads this map or a later one
        }

        if (_opening is { } opening)
        {
            bool isUnwanted = map.Collection == opening.Shard.Id.Collection && !map.AllShards.Any(shard => shard.Id == opening.Shard.Id && IsWanted(shard));
            bool isMissingMore = map.Shards.Any(shard => IsWanted(shard) && IsMissingMore(shard, opening.Shard) && StateOf(shard.Id) is null);
            if (isUnwanted || isMissingMore)
            {
                opening.GiveUp();
            }
        }
    }

    private void GoBy(ShardMap map) =>
        ImmutableInterlocked.AddOrUpdate(ref _goneBy, map.Collection, map.Version, (_, known) => Math.Max(known, map.Version));

    private bool IsWanted(ShardEntry shard) => shard.Replicas.Any(replica => replica.Silo == name);

    /// <summary>Whether a copy is missing; not of a shard that is coming, whose slots others serve meanwhile.</summary>
    private bool IsUrgent(ShardEntry shard) => !_coming.Contains(shard.Id) && shard.Serving.Count(replica => replica.Silo.Name != name) < Math.Max(1, Replicas);

    private bool IsMissingMore(ShardEntry shard, ShardEntry than) => IsUrgent(shard) && !IsUrgent(than);

    private HeldShard? StateOf(ShardId shard) => shards.Held.FirstOrDefault(held => held.Number == shard.Number && held.Collection == shard.Collection);

    private void Close(ShardMap map, ShardEntry[] wanted)
    {
        HashSet<int> numbers = [.. wanted.Where(shard => shard.Id.Collection == map.Collection).Select(shard => shard.Id.Number)];
        foreach (HeldShard held in shards.Held.Where(held => held.Collection == map.Collection))
        {
            var shard = new ShardId(held.Collection, held.Number);
            if (numbers.Contains(held.Number))
            {
                _unwantedSince.Remove(shard);
                continue;
            }

            _unwantedSince.TryAdd(shard, time.GetTimestamp());
            if (held.CodesVersions.Count == 0 || time.GetElapsedTime(_unwantedSince[shard]) >= Linger)
            {
                _unwantedSince.Remove(shard);
                shards.Close(shard);
            }
        }
    }

    private void Open(ShardEntry[] wanted, Dictionary<string, string> lineages, Work work)
    {
        foreach (ShardEntry shard in wanted.OrderBy(shard => _coming.Contains(shard.Id)).ThenBy(shard => shard.Serving.Count()))
        {
            work.Cancel.ThrowIfCancellationRequested();
            if (_isOutdated)
            {
                return; // the next step comes soon, and knows better
            }

            if (IsDue(shard.Id))
            {
                _triedAt[shard.Id] = time.GetTimestamp();
                Open(shard, lineages[shard.Id.Collection], work);
            }
        }
    }

    private void Open(ShardEntry shard, string lineage, Work work)
    {
        using var opening = new Opening(shard, work.Cancel);
        _opening = opening;
        try
        {
            shards.Open(shard.Id, lineage, IsUrgent(shard), new Work(work.Threads, null, opening.Cancel, isLow: true));
        }
        catch (OperationCanceledException) when (!work.Cancel.IsCancellationRequested)
        {
            _triedAt.Remove(shard.Id);
        }
        finally
        {
            _opening = null;
        }
    }

    private bool IsDue(ShardId shard)
    {
        HeldShard? held = StateOf(shard);
        return held is null || (held.Reason is not null && time.GetElapsedTime(_triedAt.GetValueOrDefault(shard)) >= retryAfter);
    }

    /// <summary>A shard that is being opened.</summary>
    private sealed class Opening(ShardEntry shard, CancellationToken cancel) : IDisposable
    {
        private readonly Lock _lock = new();
        private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        private bool _isOver;

        public ShardEntry Shard => shard;

        public CancellationToken Cancel => _source.Token;

        public void GiveUp()
        {
            lock (_lock)
            {
                if (!_isOver)
                {
                    _source.Cancel();
                }
            }
        }

        public void Dispose()
        {
            lock (_lock)
            {
                _isOver = true;
            }

            _source.Dispose();
        }
    }
}
