using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Signpost.Engine.Base;

namespace Signpost.Engine.Cluster;

/// <summary>
/// The cluster state of a process that is alone: in its memory, under one lock, gone with it. Nothing waits, so every call
/// completes at once. Leases end by <paramref name="time"/>'s monotonic clock; changes of the wall clock mean nothing.
/// </summary>
public sealed class EmbeddedClusterState(TimeProvider time) : IClusterState
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ShardMap> _maps = [];
    private readonly Dictionary<string, List<Channel<ShardMap>>> _watchers = [];
    private readonly Dictionary<string, Grant> _grants = [];

    /// <summary>By the system's clock.</summary>
    public EmbeddedClusterState()
        : this(TimeProvider.System)
    {
    }

    /// <inheritdoc/>
    public ValueTask<ShardMap?> ReadAsync(string collection, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return new ValueTask<ShardMap?>(_maps.GetValueOrDefault(collection));
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryWriteAsync(ShardMap map, Lease? leader, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        lock (_lock)
        {
            long present = _maps.GetValueOrDefault(map.Collection)?.Version ?? 0;
            if (map.Version != present + 1 || (leader is not null && GrantOf(leader) is null))
            {
                return new ValueTask<bool>(false);
            }

            _maps[map.Collection] = map;
            foreach (Channel<ShardMap> watcher in _watchers.GetValueOrDefault(map.Collection) ?? [])
            {
                watcher.Writer.TryWrite(map);
            }

            return new ValueTask<bool>(true);
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> CollectionsAsync(CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return new ValueTask<IReadOnlyList<string>>([.. _maps.Keys.Order(StringComparer.Ordinal)]);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ShardMap> WatchAsync(string collection, [EnumeratorCancellation] CancellationToken cancel)
    {
        // One place that keeps the newest: a slow watcher misses versions and nobody waits for it.
        var channel = Channel.CreateBounded<ShardMap>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_lock)
        {
            if (!_watchers.TryGetValue(collection, out List<Channel<ShardMap>>? watchers))
            {
                _watchers[collection] = watchers = [];
            }

            watchers.Add(channel);
            if (_maps.TryGetValue(collection, out ShardMap? present))
            {
                channel.Writer.TryWrite(present);
            }
        }

        try
        {
            await foreach (ShardMap map in channel.Reader.ReadAllAsync(cancel).ConfigureAwait(false))
            {
                yield return map;
            }
        }
        finally
        {
            lock (_lock)
            {
                _watchers[collection].Remove(channel);
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<Lease?> TryAcquireAsync(string role, string holder, TimeSpan duration, CancellationToken cancel)
    {
        Check.That(duration > TimeSpan.Zero);
        cancel.ThrowIfCancellationRequested();
        lock (_lock)
        {
            Grant? last = _grants.GetValueOrDefault(role);
            if (last is not null && IsValid(last))
            {
                return new ValueTask<Lease?>((Lease?)null);
            }

            var lease = new Lease(role, holder, (last?.Lease.Epoch ?? 0) + 1);
            _grants[role] = new Grant(lease, time.GetTimestamp(), duration);
            return new ValueTask<Lease?>(lease);
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryRenewAsync(Lease lease, TimeSpan duration, CancellationToken cancel)
    {
        Check.That(duration > TimeSpan.Zero);
        cancel.ThrowIfCancellationRequested();
        return new ValueTask<bool>(TryReplace(lease, duration));
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryNoteAsync(Lease lease, string note, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        lock (_lock)
        {
            Grant? grant = GrantOf(lease);
            if (grant is not null)
            {
                _grants[lease.Role] = grant with { Note = note };
            }

            return new ValueTask<bool>(grant is not null);
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<NotedLease>> LeasesAsync(string rolePrefix, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        lock (_lock)
        {
            IEnumerable<Grant> valid = _grants.Values.Where(grant => IsValid(grant) && grant.Lease.Role.StartsWith(rolePrefix, StringComparison.Ordinal));
            return new ValueTask<IReadOnlyList<NotedLease>>(
                [.. valid.OrderBy(grant => grant.Lease.Role, StringComparer.Ordinal).Select(grant => new NotedLease(grant.Lease, grant.Note))]);
        }
    }

    /// <inheritdoc/>
    public ValueTask ReleaseAsync(Lease lease, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        TryReplace(lease, TimeSpan.Zero);
        return ValueTask.CompletedTask;
    }

    private bool TryReplace(Lease lease, TimeSpan duration)
    {
        lock (_lock)
        {
            if (GrantOf(lease) is not { } grant)
            {
                return false;
            }

            // The grant stays when its time is set to zero: its epoch must never be given again.
            _grants[lease.Role] = grant with { Since = time.GetTimestamp(), Duration = duration };
            return true;
        }
    }

    /// <summary>The grant of <paramref name="lease"/>; null when it is not valid any more. Under the lock.</summary>
    private Grant? GrantOf(Lease lease) =>
        _grants.TryGetValue(lease.Role, out Grant? last) && last.Lease == lease && IsValid(last) ? last : null;

    private bool IsValid(Grant grant) => time.GetElapsedTime(grant.Since) < grant.Duration;

    private sealed record Grant(Lease Lease, long Since, TimeSpan Duration, string? Note = null);
}
