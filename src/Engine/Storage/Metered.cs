namespace Signpost.Engine.Storage;

/// <summary>A file being written, whose bytes are counted.</summary>
internal sealed class MeteredWriter(IFileWriter file, Meter meter) : IFileWriter
{
    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        file.Write(offset, data);
        meter.Advance(data.Length);
    }

    public void Sync() => file.Sync();

    public void Dispose() => file.Dispose();
}

/// <summary>A file being read, whose bytes are counted when they are read for the first time.</summary>
internal sealed class MeteredReader(IFileReader file, Meter meter) : IFileReader
{
    private long _read;

    public long Length => file.Length;

    public int Read(long offset, Span<byte> target)
    {
        int got = file.Read(offset, target);
        if (offset + got > _read)
        {
            meter.Advance(offset + got - _read);
            _read = offset + got;
        }

        return got;
    }

    public MappedBytes Map(long offset, long length) => file.Map(offset, length);

    public void Dispose() => file.Dispose();
}
