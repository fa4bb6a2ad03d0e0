namespace Signpost.Engine.Storage;

/// <summary>Small files of a segment store that are read and written whole.</summary>
internal static class BytesFile
{
    /// <summary>All of a file; null where there is none.</summary>
    public static byte[]? Read(ISegmentStore store, string collection, string file, CancellationToken cancel)
    {
        using var target = new MemoryFile();
        try
        {
            store.Get(collection, file, target, cancel);
            return target.ToArray();
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Puts a file with this content.</summary>
    public static void Write(ISegmentStore store, string collection, string file, byte[] bytes, CancellationToken cancel)
    {
        using var source = new MemoryFile(bytes);
        store.Put(collection, file, source, cancel);
    }
}
