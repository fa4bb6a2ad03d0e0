using Signpost.Engine.Base;

namespace Signpost.Engine.Storage;

/// <summary>Writes sections one after another through one buffer, with zeros between them, and computes their checksums on the way.</summary>
internal sealed unsafe class SectionStream(IFileWriter file, long position, Meter meter) : IDisposable
{
    private const int BufferBytes = 4 << 20;

    private readonly AlignedBuffer _buffer = new(BufferBytes);
    private long _position = position;
    private int _filled;
    private uint _crc;

    /// <summary>Begins a section at <paramref name="offset"/>, which is not before the end of the last.</summary>
    public void Begin(long offset)
    {
        Check.That(_filled == 0 && offset >= _position);
        file.Write(_position, new byte[offset - _position]);
        _position = offset;
        _crc = 0;
    }

    /// <summary>Appends to the section.</summary>
    public void Append(byte* data, long length)
    {
        while (length > 0)
        {
            if (_filled == 0 && length >= BufferBytes)
            {
                Put(data, BufferBytes); // straight from the source: no copy
                data += BufferBytes;
                length -= BufferBytes;
                continue;
            }

            int part = (int)Math.Min(length, BufferBytes - _filled);
            Buffer.MemoryCopy(data, _buffer.Pointer + _filled, BufferBytes - _filled, part);
            _filled += part;
            data += part;
            length -= part;
            if (_filled == BufferBytes)
            {
                Flush();
            }
        }
    }

    /// <summary>Ends the section; returns its checksum.</summary>
    public uint End()
    {
        Flush();
        return _crc;
    }

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();

    private void Flush()
    {
        Put(_buffer.Pointer, _filled);
        _filled = 0;
    }

    private void Put(byte* data, int length)
    {
        var bytes = new ReadOnlySpan<byte>(data, length);
        _crc = Crc32C.Compute(bytes, _crc);
        file.Write(_position, bytes);
        _position += length;
        meter.Advance(length);
    }
}
