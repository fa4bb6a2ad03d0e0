using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>What publishing a collection did.</summary>
/// <param name="Manifest">The collection, as the store has it now.</param>
/// <param name="Files">Files that the manifest names.</param>
/// <param name="FilesSent">Those of them that were not there.</param>
/// <param name="BytesSent">Their bytes.</param>
/// <param name="WasThere">Whether nothing had to be done.</param>
public sealed record PublishResult(CollectionManifest Manifest, int Files, int FilesSent, long BytesSent, bool WasThere);

/// <summary>Copies a built collection from its folder into a segment store.</summary>
public static class CollectionPublisher
{
    /// <summary>
    /// Puts every file that the store does not have, each verified on the way, and then the manifest: the moment at which the store has the
    /// collection. Stopped at any point it goes on when called again, since a name tells its content.
    /// </summary>
    /// <param name="disk">Where the collection is.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="store">Where it goes.</param>
    /// <param name="overwrite">Whether it may replace a collection of its name with other vectors or graphs, or with newer codes.</param>
    /// <param name="work">Progress and cancellation.</param>
    /// <returns>What was done; or why nothing was: no collection in the folder, one at work there, or another in the store.</returns>
    /// <exception cref="BadFileException">A file of the folder, or the store's manifest, is damaged.</exception>
    /// <exception cref="IOException">The store or the disk failed.</exception>
    public static Outcome<PublishResult> Publish(IDisk disk, string folder, ISegmentStore store, bool overwrite, Work work)
    {
        if (ManifestFile.ReadBytes(disk, folder) is null)
        {
            return ManifestFile.Open(disk, folder).Problem!;
        }

        Outcome<IDisposable> writer = CollectionFiles.Lock(disk, folder); // no training may remove files meanwhile
        if (writer.Problem is not null)
        {
            return writer.Problem;
        }

        using IDisposable held = writer.Value!;
        byte[] bytes = ManifestFile.ReadBytes(disk, folder)!;
        CollectionManifest manifest = ManifestFile.Parse(bytes, Path.Combine(folder, CollectionManifest.FileName));
        byte[]? there = store.ReadManifest(manifest.Name, work.Cancel);
        if (!overwrite && there is not null && WhyNotOver(ManifestFile.Parse(there, $"{store.Name}/{manifest.Name}"), manifest, store) is { } problem)
        {
            return problem;
        }

        int files = 0;
        int sent = 0;
        long bytesSent = 0;
        foreach (string file in manifest.Files)
        {
            files++;
            long put = Put(disk, folder, store, manifest.Name, file, work);
            sent += put > 0 ? 1 : 0;
            bytesSent += put;
        }

        bool isSame = there is not null && there.AsSpan().SequenceEqual(bytes);
        return !isSame && !store.TryReplaceManifest(manifest.Name, there, bytes, work.Cancel)
            ? ManifestCommit.Overtaken($"collection {manifest.Name} in {store.Name}")
            : new PublishResult(manifest, files, sent, bytesSent, isSame && sent == 0);
    }

    /// <summary>
    /// Puts the files of <paramref name="folder"/> that <paramref name="next"/> names and <paramref name="old"/> does not, then replaces the manifest of the store.
    /// </summary>
    /// <returns>Why the manifest was not replaced: the store has another one than <paramref name="old"/> by now, which stays. Null when it was.</returns>
    /// <exception cref="BadFileException">A file of the folder, or the store's manifest, is damaged.</exception>
    /// <exception cref="IOException">The store or the disk failed.</exception>
    public static Problem? PublishChange(IDisk disk, string folder, ISegmentStore store, string collection, CollectionManifest old, CollectionManifest next, Work work)
    {
        foreach (string file in next.Files.Except(old.Files))
        {
            Put(disk, folder, store, collection, file, work);
        }

        return ManifestCommit.InStore(store, collection, old, next, work.Cancel);
    }

    /// <summary>Puts a file unless it is there; returns the bytes that were put.</summary>
    private static long Put(IDisk disk, string folder, ISegmentStore store, string collection, string file, Work work)
    {
        string path = Path.Combine(folder, file);
        try
        {
            using IFileReader source = disk.OpenRead(path);
            if (store.LengthOf(collection, file, work.Cancel) == source.Length)
            {
                return 0;
            }

            CollectionFiles.Verify(disk, path, file, work);
            store.Put(collection, file, new MeteredReader(source, new Meter(work, $"sending {file}", source.Length)), work.Cancel);
            long? stored = store.LengthOf(collection, file, work.Cancel);
            return stored == source.Length
                ? source.Length
                : throw new IOException($"{store.Name}/{collection}/{file} has {stored} bytes after {source.Length} were put");
        }
        catch (FileNotFoundException)
        {
            throw new BadFileException(path, 0, "no file", "the file that the manifest names");
        }
    }

    private static Problem? WhyNotOver(CollectionManifest there, CollectionManifest manifest, ISegmentStore store)
    {
        bool isOther = there.Lineage != manifest.Lineage || there.Layout?.Changes > (manifest.Layout?.Changes ?? 0)
            || (there.Layout?.Changes == manifest.Layout?.Changes && !there.IsSameButCodes(manifest));
        return !isOther && there.CodesVersion <= manifest.CodesVersion
            ? null
            : new Problem(
                ProblemCode.AlreadyExists, $"collection {manifest.Name} in {store.Name}",
                isOther ? "other vectors or graphs, or a newer layout" : $"codes of version {there.CodesVersion}, newer than {manifest.CodesVersion}", "none, or an older state of this one",
                "Say that it shall be overwritten, or give this one another name.");
    }
}
