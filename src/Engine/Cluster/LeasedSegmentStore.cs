using Signpost.Engine.Storage;

namespace Signpost.Engine.Cluster;

/// <summary>
/// A segment store whose manifests are replaced by one silo at a time: under a lease, which is given back at once. It keeps the writers of a cluster
/// apart where the store compares and replaces in two steps, such as a bucket without conditional writes; where it does both in one step that is
/// enough, and the lease only saves attempts.
/// </summary>
/// <remarks>
/// A lease alone cannot fence: a writer that is frozen after its last look and before its request leaves the machine, for longer than the lease, may still
/// replace what another wrote meanwhile, in a store that does not compare. No request is begun, and none awaited, in the second half of a lease.
/// </remarks>
/// <param name="inner">The store.</param>
/// <param name="state">Where leases are.</param>
/// <param name="holder">Name of the silo.</param>
/// <param name="lease">How long others wait for a writer that dies meanwhile; replacing may take half of it.</param>
/// <param name="time">Its timers end a request that takes too long.</param>
public sealed class LeasedSegmentStore(ISegmentStore inner, IClusterState state, string holder, TimeSpan lease, TimeProvider time) : ISegmentStore
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <inheritdoc/>
    public string Name => inner.Name;

    /// <summary>Role of who replaces the manifest of <paramref name="collection"/>.</summary>
    public static string RoleOf(string collection) => $"manifest {collection}";

    /// <inheritdoc/>
    public IReadOnlyList<string> Collections(CancellationToken cancel) => inner.Collections(cancel);

    /// <inheritdoc/>
    public byte[]? ReadManifest(string collection, CancellationToken cancel) => inner.ReadManifest(collection, cancel);

    /// <inheritdoc/>
    public bool TryReplaceManifest(string collection, byte[]? before, byte[] manifest, CancellationToken cancel)
    {
        long start = time.GetTimestamp();
        while (true)
        {
            using var half = new CancellationTokenSource(lease / 2, time); // counted from before it was asked for
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, half.Token);
            if (Wait(state.TryAcquireAsync(RoleOf(collection), holder, lease, cancel)) is { } held)
            {
                return ReplaceUnder(held, collection, before, manifest, cancel, either.Token);
            }

            if (time.GetElapsedTime(start) > lease + lease)
            {
                throw new IOException($"{Name}/{collection}: another silo has been replacing the manifest all the time");
            }

            cancel.WaitHandle.WaitOne(Pause);
            cancel.ThrowIfCancellationRequested();
        }
    }

    /// <inheritdoc/>
    public long? LengthOf(string collection, string file, CancellationToken cancel) => inner.LengthOf(collection, file, cancel);

    /// <inheritdoc/>
    public void Get(string collection, string file, IFileWriter target, CancellationToken cancel) => inner.Get(collection, file, target, cancel);

    /// <inheritdoc/>
    public void Put(string collection, string file, IFileReader source, CancellationToken cancel) => inner.Put(collection, file, source, cancel);

    /// <inheritdoc/>
    public void Delete(string collection, string file, CancellationToken cancel) => inner.Delete(collection, file, cancel);

    /// <inheritdoc/>
    public string? FolderOf(string collection) => inner.FolderOf(collection);

    private bool ReplaceUnder(Lease held, string collection, byte[]? before, byte[] manifest, CancellationToken cancel, CancellationToken either)
    {
        try
        {
            return inner.TryReplaceManifest(collection, before, manifest, either);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new IOException($"{Name}/{collection}: replacing the manifest took longer than {lease.TotalSeconds / 2:0.#} s; it may be replaced or not");
        }
        finally
        {
            Release(held);
        }
    }

    private void Release(Lease held)
    {
        try
        {
            state.ReleaseAsync(held, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }
        catch (IOException)
        {
            // It ends by itself.
        }
    }

    private static T Wait<T>(ValueTask<T> task) => task.AsTask().GetAwaiter().GetResult();
}
