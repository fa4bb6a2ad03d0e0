using Signpost.Engine.Base;

namespace Signpost.Engine.Cluster;

/// <summary>
/// Keeps a silo among the members of its cluster, and knows for whom it may answer. One thread beats; any thread may ask.
/// </summary>
/// <remarks>
/// A silo is a member while it renews its lease. If it was stopped for longer than that (a frozen process, a suspended machine), the
/// others have taken it for dead, and when it goes on it must not answer as if nothing had happened. Its own clock tells it: once the
/// lease has run out it answers nobody until it has asked the cluster state again.
///
/// A cluster state that cannot be reached is another matter: segments are immutable, so whoever holds them may go on with the last
/// map. Then the lease has run out too, but an attempt to renew it has been made since and has failed, and the silo serves on.
///
/// When the state comes back without its content, every lease is gone and every silo gets a new epoch, while the restored map still
/// names the old ones. So a silo answers for the epoch that it has and for those under which the newest map says that it serves; the
/// leader writes the new epochs soon, and the old ones are refused from then on.
/// </remarks>
/// <param name="state">Where the lease is.</param>
/// <param name="name">Name of the silo, of which there is one in the cluster.</param>
/// <param name="duration">How long others wait for a silo that says nothing before they take it for dead.</param>
/// <param name="time">Only its monotonic clock is used.</param>
public sealed class SiloLease(IClusterState state, string name, TimeSpan duration, TimeProvider time)
{
    private volatile Standing _standing = new(null, 0, 0, new HashSet<long>());
    private string? _noted;
    private long _losses;

    /// <summary>The silo under its present lease; null while it has none.</summary>
    public SiloId? Silo => _standing.Lease is { } lease ? new SiloId(lease.Holder, lease.Epoch) : null;

    /// <summary>Leases so far that ended before they were given up: this silo was frozen or cut off, or the cluster state lost them.</summary>
    public long Losses => Volatile.Read(ref _losses);

    /// <summary>Why the last beat did not reach the cluster state; null where it did.</summary>
    public string? Unreachable { get; private set; }

    /// <summary>Whether the silo may answer at all.</summary>
    public bool MayServe
    {
        get
        {
            Standing now = _standing;
            long lookedAt = Math.Max(now.RenewedAt, now.FailedAt); // an attempt that failed is a look too: one that waits for a silent state may outlast the lease
            return now.Lease is not null && (time.GetElapsedTime(lookedAt) < duration || now.FailedAt - now.RenewedAt >= Ticks(duration));
        }
    }

    /// <summary>Why this silo does not answer for <paramref name="asked"/>; null where it does.</summary>
    public string? WhyNot(SiloId asked)
    {
        Standing now = _standing;
        if (asked.Name != name)
        {
            return $"this is {name}, not {asked.Name}";
        }

        if (!MayServe)
        {
            return $"{name} has lost its lease and is joining anew";
        }

        return asked.Epoch == now.Lease!.Epoch || now.MapEpochs.Contains(asked.Epoch)
            ? null
            : $"{asked} has ended; {name} has epoch {now.Lease.Epoch} now";
    }

    /// <summary>
    /// Renews the lease, or gets a new one, and puts <paramref name="note"/> beside it. To be called several times in the duration of a
    /// lease, on a thread of its own, which waits here: going on after an await would take a thread of the pool, and a silo whose pool is
    /// busy must not be taken for dead. What cannot be reached is told by <see cref="Unreachable"/> and not thrown.
    /// </summary>
    /// <returns>Whether the silo is a member; false too where another silo of this name is.</returns>
    public bool Beat(string note, CancellationToken cancel)
    {
        long before = time.GetTimestamp(); // the lease is valid from a moment after this one
        bool wasStopped = !MayServe;
        try
        {
            Lease? lease = _standing.Lease;
            if (lease is null || !Wait(state.TryRenewAsync(lease, duration, cancel)))
            {
                _noted = null;
                Volatile.Write(ref _losses, _losses + (lease is null ? 0 : 1));
                lease = Wait(state.TryAcquireAsync(SiloNote.RoleOf(name), name, duration, cancel));
            }

            Unreachable = null;
            if (lease is null)
            {
                _standing = _standing with { Lease = null };
                return false;
            }

            // What the maps said before it was stopped is not to be relied on: they are read anew.
            _standing = _standing with { Lease = lease, RenewedAt = before, FailedAt = 0, MapEpochs = wasStopped ? new HashSet<long>() : _standing.MapEpochs };
            if (_noted != note && Wait(state.TryNoteAsync(lease, note, cancel)))
            {
                _noted = note;
            }

            return true;
        }
        catch (IOException e)
        {
            Unreachable = e.Message;
            _standing = _standing with { FailedAt = time.GetTimestamp() };
            return _standing.Lease is not null;
        }
    }

    /// <summary>Tells the epochs under which the newest maps say that this silo serves.</summary>
    public void Use(IReadOnlySet<long> mapEpochs) => _standing = _standing with { MapEpochs = mapEpochs };

    /// <summary>Ends the lease: the silo is no member any more.</summary>
    public async ValueTask LeaveAsync(CancellationToken cancel)
    {
        if (_standing.Lease is { } lease)
        {
            _standing = _standing with { Lease = null };
            try
            {
                await state.ReleaseAsync(lease, cancel).ConfigureAwait(false);
            }
            catch (IOException)
            {
                // It ends by itself.
            }
        }
    }

    private static T Wait<T>(ValueTask<T> call) => call.AsTask().GetAwaiter().GetResult();

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    /// <param name="Lease">The lease; null while there is none.</param>
    /// <param name="RenewedAt">Just before the last renewal that was granted, a timestamp.</param>
    /// <param name="FailedAt">When a renewal last failed for want of the state; 0 since one was answered.</param>
    /// <param name="MapEpochs">Epochs under which the maps name this silo.</param>
    private sealed record Standing(Lease? Lease, long RenewedAt, long FailedAt, IReadOnlySet<long> MapEpochs);
}
