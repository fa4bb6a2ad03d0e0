using System.Runtime.InteropServices;
using Signpost.Engine.Base;

namespace Signpost.Engine.Tests.Kernels;

/// <summary>
/// Memory between two pages that must not be touched: a kernel that reads one byte too many ends the process. Without such pages
/// (other systems than Linux) it is plain memory.
/// </summary>
internal sealed unsafe class GuardedMemory : IDisposable
{
    private const int ReadWrite = 3;
    private const int PrivateAnonymous = 0x22;

    private readonly long _page = Environment.SystemPageSize;
    private readonly byte* _mapping;
    private readonly long _inner;

    public GuardedMemory(long capacity)
    {
        _inner = (capacity + _page - 1) / _page * _page;
        if (!OperatingSystem.IsLinux())
        {
            _mapping = (byte*)NativeMemory.AllocZeroed((nuint)(_inner + 2 * _page));
            return;
        }

        _mapping = (byte*)mmap(null, (nuint)(_inner + 2 * _page), ReadWrite, PrivateAnonymous, -1, 0);
        Check.That((nint)_mapping != -1);
        Check.That(mprotect(_mapping, (nuint)_page, 0) == 0 && mprotect(_mapping + _page + _inner, (nuint)_page, 0) == 0);
    }

    /// <summary>Memory whose first byte follows the page that must not be touched.</summary>
    public byte* Start => _mapping + _page;

    /// <summary>Memory of <paramref name="bytes"/> bytes that ends where the page that must not be touched begins.</summary>
    public byte* BeforeEnd(long bytes)
    {
        Check.That(bytes <= _inner);
        return _mapping + _page + _inner - bytes;
    }

    public void Dispose()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = munmap(_mapping, (nuint)(_inner + 2 * _page));
        }
        else
        {
            NativeMemory.Free(_mapping);
        }
    }

    [DllImport("libc")]
    private static extern void* mmap(void* address, nuint length, int protection, int flags, int file, nint offset);

    [DllImport("libc")]
    private static extern int mprotect(void* address, nuint length, int protection);

    [DllImport("libc")]
    private static extern int munmap(void* address, nuint length);
}
