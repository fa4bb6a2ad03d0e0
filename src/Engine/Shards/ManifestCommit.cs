using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>
/// The moment at which a collection changes: its manifest is replaced, unless another writer has replaced it since the change began. Every writer
/// that changes a collection that is there ends with one of these.
/// </summary>
public static class ManifestCommit
{
    /// <summary>Replaces the manifest that <paramref name="store"/> has of <paramref name="collection"/>; the files of the new one must be there.</summary>
    /// <param name="store">Where the collection is.</param>
    /// <param name="collection">The name under which the store has it.</param>
    /// <param name="old">The manifest that the change began with.</param>
    /// <param name="next">What it becomes; must be valid.</param>
    /// <param name="cancel">Ends the wait; the manifest may be replaced or not.</param>
    /// <returns>Why it was not replaced; null when it was.</returns>
    /// <exception cref="BadFileException">The manifest that is there is damaged.</exception>
    /// <exception cref="IOException">The store failed: the manifest may be replaced or not.</exception>
    public static Problem? InStore(ISegmentStore store, string collection, CollectionManifest old, CollectionManifest next, CancellationToken cancel) => Replace(
        $"collection {collection} in {store.Name}", store.ReadManifest(collection, cancel), old, next,
        (before, bytes) => store.TryReplaceManifest(collection, before, bytes, cancel));

    /// <summary>As <see cref="InStore"/>, of a collection that is in a folder of this machine.</summary>
    public static Problem? InFolder(IDisk disk, string folder, CollectionManifest old, CollectionManifest next, CancellationToken cancel) => Replace(
        $"collection of {folder}", ManifestFile.ReadBytes(disk, folder), old, next, (before, bytes) => ManifestFile.TryReplace(disk, folder, before, bytes, cancel));

    /// <summary>Another writer was first.</summary>
    internal static Problem Overtaken(string where) =>
        new(ProblemCode.Busy, where, "another manifest than at the start", "one writer at a time", "Start the same command again.");

    private static Problem? Replace(string where, byte[]? there, CollectionManifest old, CollectionManifest next, Func<byte[], byte[], bool> tryReplace)
    {
        Check.That(next.Validate() is null, $"manifest: {next.Validate()}");
        return there is not null && ManifestFile.Parse(there, where).IsSame(old) && tryReplace(there, ManifestFile.Format(next)) ? null : Overtaken(where);
    }
}
