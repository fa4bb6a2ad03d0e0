using System.Runtime.InteropServices;

namespace Signpost.Engine.Base;

/// <summary>
/// Native memory off the GC heap, 64-byte aligned; from 2 MB on aligned to 2 MB and advised to use huge pages where the system
/// has them, because a graph walk touches a random page per step and would otherwise spend a third of its time on TLB misses.
/// </summary>
public sealed unsafe class AlignedBuffer : IDisposable
{
    private const long HugePageBytes = 2 << 20;
    private const int AdviseHugePage = 14; // MADV_HUGEPAGE of Linux

    /// <summary>Allocates <paramref name="length"/> bytes (0 is allowed), zeroed.</summary>
    public AlignedBuffer(long length)
    {
        Check.That(length >= 0);
        Length = length;
        bool huge = length >= HugePageBytes;
        nuint alignment = huge ? (nuint)HugePageBytes : 64;
        nuint bytes = ((nuint)Math.Max(length, 1) + alignment - 1) / alignment * alignment;
        Pointer = (byte*)NativeMemory.AlignedAlloc(bytes, alignment);
        if (huge && OperatingSystem.IsLinux())
        {
            _ = madvise(Pointer, bytes, AdviseHugePage); // advice only: without it everything works, slower
        }

        NativeMemory.Clear(Pointer, bytes);
        GC.AddMemoryPressure((long)bytes);
        _bytes = (long)bytes;
    }

    private readonly long _bytes;

    ~AlignedBuffer() => Free();

    /// <summary>First byte.</summary>
    public byte* Pointer { get; private set; }

    /// <summary>Bytes asked for.</summary>
    public long Length { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (Pointer != null)
        {
            NativeMemory.AlignedFree(Pointer);
            Pointer = null;
            GC.RemoveMemoryPressure(_bytes);
        }
    }

    [DllImport("libc", EntryPoint = "madvise")]
    private static extern int madvise(void* address, nuint length, int advice);
}
