namespace Signpost.Engine.Cluster;

/// <summary>
/// Who holds what, and who leads: the part of a cluster that all silos must agree on. One of the two ports between the distributed
/// logic and a runtime.
/// </summary>
/// <remarks>
/// Contract, run against every runtime by one suite of tests:
/// <list type="bullet">
/// <item>Map writes of one collection are totally ordered; of several writers of the same version exactly one succeeds.</item>
/// <item>A read that begins after a write has returned sees that map or a newer one.</item>
/// <item>A watcher gets the present map at once and, sooner or later, the newest; versions rise, and some may be skipped, so that a
/// slow watcher holds nobody up.</item>
/// <item>At any time at most one lease of a role is valid. Epochs of a role rise with every grant and are never used again, also
/// after the role was free: what a leader writes carries its epoch, and a receiver that has seen a higher one refuses it. Time
/// alone cannot fence, because a holder may be stopped for any time between looking at its lease and acting on it.</item>
/// <item>A map that is written under a lease is refused when that lease is not valid any more, in one step with the comparison of
/// versions: what a leader decided before it lost its lead never becomes the map.</item>
/// <item>A note lives as long as its lease: it is seen with the lease, and gone with it.</item>
/// <item>What was granted, written or noted outlives the process that asked for it, but not always the store that keeps it. A runtime whose
/// store may come back without its content restores the newest map that it has seen, under a version above all that were ever written,
/// and never gives an epoch again.</item>
/// <item>Methods are safe to call from many threads, and end with <see cref="OperationCanceledException"/> when asked to.</item>
/// </list>
/// </remarks>
public interface IClusterState
{
    /// <summary>The present map of <paramref name="collection"/>; null where there is none.</summary>
    ValueTask<ShardMap?> ReadAsync(string collection, CancellationToken cancel);

    /// <summary>
    /// Compare-and-set: makes <paramref name="map"/> the present one when its version is exactly one more than that of the present
    /// map (1 where there is none). False when another writer came first; read again and decide anew.
    /// </summary>
    /// <param name="map">The next map of its collection.</param>
    /// <param name="leader">The lease under which it was decided: false too when it is not valid any more. Null: nobody leads here.</param>
    /// <param name="cancel">Ends the wait; the map may be written or not.</param>
    ValueTask<bool> TryWriteAsync(ShardMap map, Lease? leader, CancellationToken cancel);

    /// <summary>The present map of <paramref name="collection"/>, if there is one, then newer ones as they are written, without end.</summary>
    IAsyncEnumerable<ShardMap> WatchAsync(string collection, CancellationToken cancel);

    /// <summary>Names of the collections that have a map, in ordinal order.</summary>
    ValueTask<IReadOnlyList<string>> CollectionsAsync(CancellationToken cancel);

    /// <summary>A lease of <paramref name="role"/> with a new epoch; null while another is valid, whoever holds it.</summary>
    /// <param name="role">What is led, for example "placement" or "shard docs/3".</param>
    /// <param name="holder">Name of the silo.</param>
    /// <param name="duration">Time from now for which it is valid unless renewed; above zero.</param>
    /// <param name="cancel">Ends the wait.</param>
    ValueTask<Lease?> TryAcquireAsync(string role, string holder, TimeSpan duration, CancellationToken cancel);

    /// <summary>
    /// Makes <paramref name="lease"/> valid for <paramref name="duration"/> from now, with the same epoch. False when it is not valid
    /// any more: its holder must stop leading.
    /// </summary>
    ValueTask<bool> TryRenewAsync(Lease lease, TimeSpan duration, CancellationToken cancel);

    /// <summary>
    /// Puts <paramref name="note"/> beside <paramref name="lease"/> for all to see, in place of the one before. False when the lease is
    /// not valid any more; then nothing is changed.
    /// </summary>
    ValueTask<bool> TryNoteAsync(Lease lease, string note, CancellationToken cancel);

    /// <summary>The valid leases of the roles that begin with <paramref name="rolePrefix"/>, in the ordinal order of their roles.</summary>
    ValueTask<IReadOnlyList<NotedLease>> LeasesAsync(string rolePrefix, CancellationToken cancel);

    /// <summary>Ends <paramref name="lease"/> early; nothing happens when it is not valid any more.</summary>
    ValueTask ReleaseAsync(Lease lease, CancellationToken cancel);
}

/// <summary>The right to lead a role for a time.</summary>
/// <param name="Role">What is led.</param>
/// <param name="Holder">Name of the silo that leads.</param>
/// <param name="Epoch">From 1; higher than that of every earlier lease of the role.</param>
public sealed record Lease(string Role, string Holder, long Epoch);

/// <summary>A lease as others see it.</summary>
/// <param name="Lease">The lease.</param>
/// <param name="Note">What its holder has put beside it; null while it has put nothing.</param>
public sealed record NotedLease(Lease Lease, string? Note);
