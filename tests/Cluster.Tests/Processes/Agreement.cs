using Signpost.Cluster.Tests.Support;
using Signpost.Engine.Cluster;
using Signpost.Silo.Redis;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>
/// Looks at what a cluster agrees on, all the time, and keeps what must never be: an epoch with two owners, a lease of a role with two at once, a map that
/// goes back, a copy of a shard twice in one silo. (That the shards of a map own every slot once, the map itself sees to.)
/// </summary>
internal sealed class Agreement : IAsyncDisposable
{
    private readonly RedisClusterState _state;
    private readonly string _collection;
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<long, (string Role, string Holder)> _owners = [];
    private readonly List<string> _faults = [];
    private readonly Task _run;
    private ShardMap? _newest;

    public Agreement(RedisServer redis, string cluster, string collection)
    {
        (_state, _collection) = (new RedisClusterState(redis.Options, cluster), collection);
        _run = Task.Run(LookAsync);
    }

    /// <summary>Ends looking; what was seen that must not be.</summary>
    public async Task<IReadOnlyList<string>> EndAsync()
    {
        await _stop.CancelAsync();
        await _run;
        return _faults;
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _state.Dispose();
        _stop.Dispose();
    }

    private async Task LookAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                See(await _state.LeasesAsync("", _stop.Token));
                if (await _state.ReadAsync(_collection, _stop.Token) is { } map)
                {
                    See(map);
                }

                await Task.Delay(20, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void See(IReadOnlyList<NotedLease> leases)
    {
        foreach (Lease lease in leases.Select(noted => noted.Lease))
        {
            if (_owners.TryGetValue(lease.Epoch, out (string, string) owner) ? owner != (lease.Role, lease.Holder) : !_owners.TryAdd(lease.Epoch, (lease.Role, lease.Holder)))
            {
                _faults.Add($"epoch {lease.Epoch} is of {owner} and of {lease}");
            }
        }

        _faults.AddRange(leases.GroupBy(noted => noted.Lease.Role).Where(role => role.Count() > 1).Select(role => $"{role.Key} has {role.Count()} leases"));
    }

    private void See(ShardMap map)
    {
        if (_newest is not null && map.Version < _newest.Version)
        {
            _faults.Add($"map {map.Version} after {_newest.Version}");
        }

        _newest = map;
        foreach (ShardEntry shard in map.AllShards.Where(shard => shard.Replicas.DistinctBy(r => r.Silo).Count() < shard.Replicas.Length))
        {
            _faults.Add($"map {map.Version}: {shard.Id} is twice in a silo");
        }
    }
}
