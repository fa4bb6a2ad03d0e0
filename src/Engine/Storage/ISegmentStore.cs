namespace Signpost.Engine.Storage;

/// <summary>
/// Where collections are kept when no process has them open: for each a set of immutable files, and one manifest that says which of them
/// count. A shared directory or a bucket of objects.
/// </summary>
/// <remarks>
/// Contract, run against every store by one suite of tests:
/// <list type="bullet">
/// <item>A file is seen whole or not at all, and a name never gets another content: to put a file that is there replaces it by its like.</item>
/// <item>The manifest is replaced in one step: who reads it sees the old one or the new one. What was put before is there when it is.</item>
/// <item>Comparing with the one before and replacing are one step too, unless the store's own documentation says otherwise; then
/// a lease must keep writers apart.</item>
/// <item>What has returned stays after a power loss, as far as the store's own promise goes, and is seen by every later call.</item>
/// <item>A failure of the store is an <see cref="IOException"/> that names the file; the call may be repeated. What was put in part is never seen.</item>
/// <item>Cancelling ends the call with <see cref="OperationCanceledException"/> and leaves nothing that is seen.</item>
/// <item>Names are those that <see cref="CollectionManifest.IsName"/> accepts. Safe to call from many threads; a call blocks its own.</item>
/// </list>
/// </remarks>
public interface ISegmentStore
{
    /// <summary>What the store is, for people: a folder or an address, without any secret.</summary>
    string Name { get; }

    /// <summary>Names of the collections that have a manifest, in ordinal order.</summary>
    IReadOnlyList<string> Collections(CancellationToken cancel);

    /// <summary>The bytes of a collection's manifest; null where there is none.</summary>
    byte[]? ReadManifest(string collection, CancellationToken cancel);

    /// <summary>
    /// Replaces a collection's manifest if it is still the one that the writer began with, so that of several writers one succeeds. The files that
    /// the new one names must have been put before.
    /// </summary>
    /// <param name="collection">The collection.</param>
    /// <param name="before">The bytes that were read; null where there was none.</param>
    /// <param name="manifest">The new bytes.</param>
    /// <param name="cancel">Ends the wait; the manifest may be replaced or not.</param>
    /// <returns>False where another writer came first; nothing is changed. It may be true where that one wrote the very same bytes.</returns>
    bool TryReplaceManifest(string collection, byte[]? before, byte[] manifest, CancellationToken cancel);

    /// <summary>Bytes of a file; null where there is none.</summary>
    long? LengthOf(string collection, string file, CancellationToken cancel);

    /// <summary>Writes the whole of a file into <paramref name="target"/>. <see cref="FileNotFoundException"/> where there is none.</summary>
    void Get(string collection, string file, IFileWriter target, CancellationToken cancel);

    /// <summary>Stores all of <paramref name="source"/> as a file; never the manifest. Parts of it may be read more than once.</summary>
    void Put(string collection, string file, IFileReader source, CancellationToken cancel);

    /// <summary>Removes a file, or a manifest: with it the collection. Nothing happens where there is none.</summary>
    void Delete(string collection, string file, CancellationToken cancel);

    /// <summary>The folder where this machine has the files of a collection already, to be opened there; null where they must be fetched.</summary>
    string? FolderOf(string collection);
}
