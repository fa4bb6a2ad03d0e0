using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>The folder of a cache, with a folder for each collection.</summary>
internal sealed class CacheFolder
{
    private long _files;
    private long _bytes;

    /// <summary>Takes the folder as the last process left it: litter of interrupted writes goes, complete files are counted.</summary>
    public CacheFolder(IDisk disk, string folder, long limitBytes)
    {
        Disk = disk;
        Path = folder;
        Space = new CacheSpace(disk, folder, limitBytes);
        foreach (string collection in disk.ListFolders(folder))
        {
            AtomicFile.RemoveLitter(disk, System.IO.Path.Combine(folder, collection));
            CountFiles(System.IO.Path.Combine(folder, collection));
        }
    }

    public IDisk Disk { get; }

    public string Path { get; }

    public CacheSpace Space { get; }

    /// <summary>Files and bytes that were fetched so far.</summary>
    public (long Files, long Bytes) Fetched => (Volatile.Read(ref _files), Volatile.Read(ref _bytes));

    /// <summary>A file of so many bytes was fetched.</summary>
    public void CountFetched(long bytes)
    {
        Interlocked.Increment(ref _files);
        Interlocked.Add(ref _bytes, bytes);
    }

    /// <summary>Counts files that came to a collection's folder in another way than through the cache: codes that a training made there.</summary>
    public void CountFiles(string folder)
    {
        foreach (string name in Disk.List(folder).Where(CollectionFiles.IsContent))
        {
            Space.Found(System.IO.Path.Combine(folder, name));
        }
    }
}
