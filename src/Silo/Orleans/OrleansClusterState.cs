using Orleans.Runtime;
using Signpost.Engine.Cluster;

namespace Signpost.Silo.Orleans;

/// <summary>
/// The cluster state under Orleans: maps, leases and notes are kept as without it; a silo that Orleans has declared dead is no member any
/// more, even while its lease still runs.
/// </summary>
/// <param name="kept">Where they are kept.</param>
/// <param name="members">The silos by Orleans; null before it runs.</param>
internal sealed class OrleansClusterState(IClusterState kept, Func<ClusterMembershipSnapshot?> members) : IClusterState, IDisposable
{
    /// <inheritdoc/>
    public ValueTask<ShardMap?> ReadAsync(string collection, CancellationToken cancel) => kept.ReadAsync(collection, cancel);

    /// <inheritdoc/>
    public ValueTask<bool> TryWriteAsync(ShardMap map, Lease? leader, CancellationToken cancel) => kept.TryWriteAsync(map, leader, cancel);

    /// <inheritdoc/>
    public IAsyncEnumerable<ShardMap> WatchAsync(string collection, CancellationToken cancel) => kept.WatchAsync(collection, cancel);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> CollectionsAsync(CancellationToken cancel) => kept.CollectionsAsync(cancel);

    /// <inheritdoc/>
    public ValueTask<Lease?> TryAcquireAsync(string role, string holder, TimeSpan duration, CancellationToken cancel) =>
        kept.TryAcquireAsync(role, holder, duration, cancel);

    /// <inheritdoc/>
    public ValueTask<bool> TryRenewAsync(Lease lease, TimeSpan duration, CancellationToken cancel) => kept.TryRenewAsync(lease, duration, cancel);

    /// <inheritdoc/>
    public ValueTask<bool> TryNoteAsync(Lease lease, string note, CancellationToken cancel) => kept.TryNoteAsync(lease, note, cancel);

    /// <inheritdoc/>
    public ValueTask ReleaseAsync(Lease lease, CancellationToken cancel) => kept.ReleaseAsync(lease, cancel);

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<NotedLease>> LeasesAsync(string rolePrefix, CancellationToken cancel)
    {
        IReadOnlyList<NotedLease> leases = await kept.LeasesAsync(rolePrefix, cancel).ConfigureAwait(false);
        return rolePrefix == SiloNote.RolePrefix && members() is { } silos ? [.. leases.Where(noted => !IsDead(silos, noted.Lease.Holder))] : leases;
    }

    /// <inheritdoc/>
    public void Dispose() => (kept as IDisposable)?.Dispose();

    /// <summary>Whether every run of a silo that Orleans knows of is dead. One that it does not know is on its way in.</summary>
    private static bool IsDead(ClusterMembershipSnapshot silos, string name)
    {
        ClusterMember[] runs = [.. silos.Members.Values.Where(member => MemberName.Of(member).Silo == name)];
        return runs.Length > 0 && runs.All(run => run.Status == SiloStatus.Dead);
    }
}
