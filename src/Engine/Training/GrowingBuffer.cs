using Signpost.Engine.Base;

namespace Signpost.Engine.Training;

/// <summary>Native memory that is kept from step to step and grows when a step needs more; growing loses what was in it.</summary>
internal sealed unsafe class GrowingBuffer : IDisposable
{
    private AlignedBuffer? _buffer;

    /// <summary>First byte; null before the first <see cref="Reserve"/>.</summary>
    public byte* Pointer => _buffer is null ? null : _buffer.Pointer;

    /// <summary>Makes room for <paramref name="bytes"/>, with some to spare.</summary>
    public void Reserve(long bytes)
    {
        if (_buffer is null || _buffer.Length < bytes)
        {
            _buffer?.Dispose();
            _buffer = new AlignedBuffer(bytes + bytes / 4);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _buffer?.Dispose();
}
