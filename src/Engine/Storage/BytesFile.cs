namespace Signpost.Engine.Storage;

/// <summary>Small files of a segment store that are read and written whole.</summary>
internal static class BytesFile
{
    /// <summary>All of a file; null where there is none.</summary>
    public static byte[]? Read(ISegmentStore store, string collection, string file, CancellationToken cancel)
    {
        using var target = new Target();
        try
        {
            store.Get(collection, file, target, cancel);
            return target.Bytes;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Puts a file with this content.</summary>
    public static void Write(ISegmentStore store, string collection, string file, byte[] bytes, CancellationToken cancel)
    {
        using var source = new Source(bytes);
        store.Put(collection, file, source, cancel);
    }

    private sealed class Source(byte[] bytes) : IFileReader
    {
        public long Length => bytes.Length;

        public int Read(long offset, Span<byte> target)
        {
            int count = (int)Math.Clamp(bytes.Length - offset, 0, target.Length);
            bytes.AsSpan((int)Math.Min(offset, bytes.Length), count).CopyTo(target);
            return count;
        }

        public MappedBytes Map(long offset, long length) => throw new NotSupportedException("it is no file that can be mapped");

        public void Dispose()
        {
        }
    }

    private sealed class Target : IFileWriter
    {
        private readonly MemoryStream _content = new();

        public byte[] Bytes => _content.ToArray();

        public void Write(long offset, ReadOnlySpan<byte> data)
        {
            _content.Position = offset;
            _content.Write(data);
        }

        public void Sync()
        {
        }

        public void Dispose() => _content.Dispose();
    }
}
