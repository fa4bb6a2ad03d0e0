using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Signpost.Engine.Vectors;

/// <summary>
/// A file mapped read-only as one piece of memory. It has no finaliser on purpose: a mapping that nobody disposes stays until the
/// process ends, so that memory never vanishes under a reader who holds only a pointer.
/// </summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    public MappedFile(SafeFileHandle handle, long length)
    {
        _file = MemoryMappedFile.CreateFromFile(
            handle, mapName: null, length, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        _view = _file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        Pointer = start + _view.PointerOffset;
    }

    /// <summary>First byte of the file; null after <see cref="Dispose"/>.</summary>
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
