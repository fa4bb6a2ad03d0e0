using Signpost.Engine.Cluster;

namespace Signpost.Silo.Redis;

/// <summary>The leases in Redis. Used on the thread of <see cref="RedisThread"/> alone.</summary>
internal sealed class RedisLeases(RedisKeys keys)
{
    private const double MostMicroseconds = 1e15; // 30 years; with the time of day added still exact in Lua

    private readonly Dictionary<string, long> _seen = []; // highest epoch of each role
    private long _highest; // of all roles

    /// <summary>See <see cref="IClusterState.TryAcquireAsync"/>.</summary>
    public Lease? TryAcquire(RedisLink link, string role, string holder, TimeSpan duration)
    {
        long seen = _seen.GetValueOrDefault(role);
        Reply[] answer = keys.Run(link, RedisScripts.Acquire, role, holder, Microseconds(duration), seen, _highest).Items!;
        var lease = new Lease(role, holder, answer[1].Whole);
        See(lease);
        return answer[0].Number == 1 ? lease : null;
    }

    /// <summary>See <see cref="IClusterState.TryRenewAsync"/>.</summary>
    public bool TryRenew(RedisLink link, Lease lease, TimeSpan duration) =>
        !IsGhost(lease) && keys.Run(link, RedisScripts.Renew, lease.Role, lease.Holder, lease.Epoch, Microseconds(duration)).Number == 1;

    /// <summary>See <see cref="IClusterState.TryNoteAsync"/>.</summary>
    public bool TryNote(RedisLink link, Lease lease, string note) =>
        !IsGhost(lease) && keys.Run(link, RedisScripts.Note, lease.Role, lease.Holder, lease.Epoch, note).Number == 1;

    /// <summary>See <see cref="IClusterState.ReleaseAsync"/>.</summary>
    public bool Release(RedisLink link, Lease lease) =>
        keys.Run(link, RedisScripts.Release, lease.Role, lease.Holder, lease.Epoch).Number == 1;

    /// <summary>See <see cref="IClusterState.LeasesAsync"/>.</summary>
    public IReadOnlyList<NotedLease> List(RedisLink link, string prefix)
    {
        var found = new List<NotedLease>();
        foreach (Reply item in keys.Run(link, RedisScripts.List, prefix).Items!)
        {
            var lease = new Lease(item.Items![0].Text!, item.Items[1].Text!, item.Items[2].Whole);
            if (!IsGhost(lease))
            {
                See(lease);
                found.Add(new NotedLease(lease, item.Items[3].Text));
            }
        }

        found.Sort((x, y) => string.CompareOrdinal(x.Lease.Role, y.Lease.Role));
        return found;
    }

    /// <summary>Whether a later lease of the role was seen: Redis has come back with older data, in which this one is still valid.</summary>
    public bool IsGhost(Lease lease) => lease.Epoch < _seen.GetValueOrDefault(lease.Role);

    private void See(Lease lease)
    {
        _seen[lease.Role] = Math.Max(lease.Epoch, _seen.GetValueOrDefault(lease.Role));
        _highest = Math.Max(lease.Epoch, _highest);
    }

    private static long Microseconds(TimeSpan time) => (long)Math.Clamp(time.TotalMicroseconds, 1, MostMicroseconds);
}
