using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;

namespace Signpost.Silo.Redis;

/// <summary>The cluster state in Redis: silos that name the same Redis and the same cluster agree there on maps and leases.</summary>
/// <remarks>
/// Every operation is one script, which Redis runs in one step. Leases end by the clock of Redis, so the clocks of the silos mean nothing.
///
/// When Redis is restarted, slow or gone, every call ends within <see cref="RedisOptions.Timeout"/>, with a <see cref="RedisException"/>,
/// and the first call after Redis is back connects again. Nothing is retried here: a change whose answer was lost may have been made, and
/// only the caller knows what to do about that (a write is read again; a lease that was granted unheard ends by itself). Watchers wait.
///
/// Redis may come back with older data or with none; how much it may lose is its operator's choice. So this object remembers the newest
/// map of each collection that it has read or written. When Redis has none or an older one, it writes the remembered map there, under a
/// version raised by 2^20, more than the changes that it can have missed; of several silos that do so at once one wins and the others
/// take its map. A silo that remembers a later content than the one restored replaces it in the same way (<see cref="MapMark"/>), so all
/// come to agree on the latest content that anybody still knows, and no watcher ever sees a version fall. A map that nobody alive has
/// seen is lost; the leader derives placement from the segment store and the members anyway.
///
/// Leases that Redis has lost have ended: to renew them answers false, and their holders ask for new ones. An epoch is never given twice,
/// because it is at least the time of Redis in microseconds when it was granted; were that clock set back at the same time, it is still
/// above every epoch that Redis or the silo that asks has seen. A lease that older data brought back to life is ignored by every silo that
/// has seen a later one, and ends by itself; the epoch fences it in any case. Where the clock of Redis is set back by more than the rest of
/// a lease, the lease ends; set forward, leases end early.
///
/// Calls go through one thread of their own (<see cref="RedisThread"/>) over blocking sockets, and need no thread of the pool. A thread
/// that must go on when the pool is busy, such as the one that renews leases, may block on what these methods give
/// (<c>.AsTask().GetAwaiter().GetResult()</c>); to <c>await</c> them takes a thread of the pool to go on.
/// </remarks>
public sealed partial class RedisClusterState : IClusterState, IDisposable
{
    private readonly RedisKeys _keys;
    private readonly RedisLeases _leases;
    private readonly RedisMaps _maps;
    private readonly RedisThread _redis;
    private readonly RedisFollower _follower;
    private int _ended;

    /// <summary>The state of the cluster of that name; Redis need not be there yet.</summary>
    /// <param name="options">Where Redis is.</param>
    /// <param name="cluster">Name of the cluster: 1 .. 64 letters, digits, '.', '_' or '-'.</param>
    /// <param name="log">Told when Redis is gone, when it is back, and what was restored; null: nobody is.</param>
    /// <exception cref="ProblemException">The name is none.</exception>
    public RedisClusterState(RedisOptions options, string cluster, ILogger? log = null)
        : this(options, cluster, log ?? NullLogger.Instance, RedisScripts.Clock)
    {
    }

    /// <summary>The same by another clock, which is a script that sets <c>now</c>.</summary>
    internal RedisClusterState(RedisOptions options, string cluster, ILogger log, string clock)
    {
        if (!ClusterName().IsMatch(cluster))
        {
            throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "the name of the cluster", $"'{cluster}'", "1 .. 64 letters, digits, '.', '_' or '-'", "Name it otherwise."));
        }

        _keys = new RedisKeys(cluster, clock);
        _leases = new RedisLeases(_keys);
        _maps = new RedisMaps(_keys, log);
        _redis = new RedisThread(options);
        _follower = new RedisFollower(_redis, options, _keys, _maps, log);
    }

    /// <inheritdoc/>
    public ValueTask<ShardMap?> ReadAsync(string collection, CancellationToken cancel) =>
        Ask(link => _maps.Read(link, collection), cancel);

    /// <inheritdoc/>
    public ValueTask<bool> TryWriteAsync(ShardMap map, Lease? leader, CancellationToken cancel) =>
        Ask(link => (leader is null || !_leases.IsGhost(leader)) && _maps.TryWrite(link, map, leader), cancel);

    /// <inheritdoc/>
    public IAsyncEnumerable<ShardMap> WatchAsync(string collection, CancellationToken cancel) => _maps.WatchAsync(collection, cancel);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> CollectionsAsync(CancellationToken cancel) => Ask(_maps.Collections, cancel);

    /// <inheritdoc/>
    public ValueTask<Lease?> TryAcquireAsync(string role, string holder, TimeSpan duration, CancellationToken cancel)
    {
        Check.That(duration > TimeSpan.Zero);
        return Ask(link => _leases.TryAcquire(link, role, holder, duration), cancel);
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryRenewAsync(Lease lease, TimeSpan duration, CancellationToken cancel)
    {
        Check.That(duration > TimeSpan.Zero);
        return Ask(link => _leases.TryRenew(link, lease, duration), cancel);
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryNoteAsync(Lease lease, string note, CancellationToken cancel) =>
        Ask(link => _leases.TryNote(link, lease, note), cancel);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<NotedLease>> LeasesAsync(string rolePrefix, CancellationToken cancel) =>
        Ask(link => _leases.List(link, rolePrefix), cancel);

    /// <inheritdoc/>
    public ValueTask ReleaseAsync(Lease lease, CancellationToken cancel) => new(_redis.Ask(link => _leases.Release(link, lease), cancel));

    /// <summary>A text that tells this cluster from every other one, made when it is first asked for: it shows that silos mean the same Redis.</summary>
    public ValueTask<string> IdentityAsync(CancellationToken cancel) => Ask(
        link =>
        {
            link.Call("SET", _keys.Identity, Guid.NewGuid().ToString(), "NX");
            return link.Call("GET", _keys.Identity).Text!;
        },
        cancel);

    /// <summary>Ends both threads. Leases stay until they end, watchers wait until they are cancelled; calls after this throw <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0)
        {
            _follower.Dispose();
            _redis.Dispose();
        }
    }

    private ValueTask<T> Ask<T>(Func<RedisLink, T> work, CancellationToken cancel) => new(_redis.Ask(work, cancel));

    [GeneratedRegex(@"^[A-Za-z0-9._-]{1,64}\z")]
    private static partial Regex ClusterName();
}
