using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Signpost.Engine.Base;

/// <summary>
/// A part of a file mapped read-only as one piece of memory. It has no finaliser on purpose: a mapping that nobody disposes stays
/// until the process ends, so that memory never vanishes under a reader who holds only a pointer.
/// </summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    /// <summary>Maps [offset, offset + length), not empty and inside the file. Stays valid when <paramref name="handle"/> is disposed.</summary>
    public MappedFile(SafeFileHandle handle, long offset, long length)
    {
        _file = MemoryMappedFile.CreateFromFile(handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        try
        {
            _view = _file.CreateViewAccessor(offset, length, MemoryMappedFileAccess.Read);
        }
        catch
        {
            _file.Dispose();
            throw;
        }

        byte* first = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref first);
        Pointer = first + _view.PointerOffset;
    }

    /// <summary>First byte; null after <see cref="Dispose"/>.</summary>
    public byte* Pointer { get; private set; }

    public void Dispose()
    {
        if (Pointer != null)
        {
            Pointer = null;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _file.Dispose();
        }
    }
}
