namespace Signpost.Engine.Storage;

/// <summary>A file whose bytes are in memory: what a store reads or writes whole. For one thread.</summary>
public sealed class MemoryFile : IFileReader, IFileWriter
{
    private byte[] _bytes;
    private int _length;

    /// <summary>A file of these bytes, which it keeps until it grows.</summary>
    public MemoryFile(byte[] bytes) => (_bytes, _length) = (bytes, bytes.Length);

    /// <summary>An empty file.</summary>
    public MemoryFile()
        : this([])
    {
    }

    /// <inheritdoc/>
    public long Length => _length;

    /// <summary>A copy of all of it.</summary>
    public byte[] ToArray() => _bytes.AsSpan(0, _length).ToArray();

    /// <inheritdoc/>
    public int Read(long offset, Span<byte> target)
    {
        int from = (int)Math.Min(offset, _length), count = Math.Min(_length - from, target.Length);
        _bytes.AsSpan(from, count).CopyTo(target);
        return count;
    }

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        int end = checked((int)offset + data.Length);
        if (end > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(end, 2 * _length));
        }

        data.CopyTo(_bytes.AsSpan((int)offset));
        _length = Math.Max(_length, end);
    }

    /// <inheritdoc/>
    public MappedBytes Map(long offset, long length) => throw new NotSupportedException("it is no file that can be mapped");

    /// <inheritdoc/>
    public void Sync()
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
