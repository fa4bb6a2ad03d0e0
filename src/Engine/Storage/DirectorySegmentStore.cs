using Signpost.Engine.Base;

namespace Signpost.Engine.Storage;

/// <summary>Collections in a directory, each in a folder of its name: on a disk of this machine, or shared by several.</summary>
/// <param name="disk">Where.</param>
/// <param name="root">The directory; made when something is put.</param>
public sealed class DirectorySegmentStore(IDisk disk, string root) : ISegmentStore
{
    private const int ChunkBytes = 1 << 20;

    /// <inheritdoc/>
    public string Name => root;

    /// <inheritdoc/>
    /// <remarks>A folder that this user may not look into is none of them.</remarks>
    public IReadOnlyList<string> Collections(CancellationToken cancel) => [.. disk.ListFolders(root).Where(name => CollectionManifest.IsName(name) && HasManifest(name))];

    /// <inheritdoc/>
    public byte[]? ReadManifest(string collection, CancellationToken cancel) => ManifestFile.ReadBytes(disk, FolderOf(collection));

    /// <inheritdoc/>
    public bool TryReplaceManifest(string collection, byte[]? before, byte[] manifest, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        disk.CreateFolder(FolderOf(collection));
        return ManifestFile.TryReplace(disk, FolderOf(collection), before, manifest, cancel);
    }

    /// <inheritdoc/>
    public long? LengthOf(string collection, string file, CancellationToken cancel)
    {
        try
        {
            using IFileReader reader = disk.OpenRead(PathOf(collection, file));
            return reader.Length;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Get(string collection, string file, IFileWriter target, CancellationToken cancel)
    {
        string path = PathOf(collection, file);
        try
        {
            using IFileReader source = disk.OpenRead(path);
            Copy(source, target, cancel);
        }
        catch (DirectoryNotFoundException)
        {
            throw new FileNotFoundException($"{path} is not there", path);
        }
    }

    /// <inheritdoc/>
    public void Put(string collection, string file, IFileReader source, CancellationToken cancel)
    {
        Check.That(file != CollectionManifest.FileName);
        disk.CreateFolder(FolderOf(collection));
        AtomicFile.Write(disk, PathOf(collection, file), source.Length, target => Copy(source, target, cancel));
    }

    /// <inheritdoc/>
    public void Delete(string collection, string file, CancellationToken cancel)
    {
        if (disk.List(FolderOf(collection)).Contains(file))
        {
            disk.Delete(PathOf(collection, file));
            disk.SyncFolder(FolderOf(collection));
        }
    }

    /// <inheritdoc/>
    public string FolderOf(string collection)
    {
        Check.That(CollectionManifest.IsName(collection));
        return Path.Combine(root, collection);
    }

    private bool HasManifest(string collection)
    {
        try
        {
            return disk.List(FolderOf(collection)).Contains(CollectionManifest.FileName);
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    private string PathOf(string collection, string file)
    {
        Check.That(CollectionManifest.IsName(file));
        return Path.Combine(FolderOf(collection), file);
    }

    private static void Copy(IFileReader source, IFileWriter target, CancellationToken cancel)
    {
        byte[] chunk = new byte[(int)Math.Min(ChunkBytes, Math.Max(1, source.Length))];
        for (long done = 0; done < source.Length;)
        {
            cancel.ThrowIfCancellationRequested();
            int got = source.Read(done, chunk);
            if (got == 0)
            {
                throw new EndOfStreamException($"a file of {source.Length} bytes ended after {done}");
            }

            target.Write(done, chunk.AsSpan(0, got));
            done += got;
        }
    }
}
