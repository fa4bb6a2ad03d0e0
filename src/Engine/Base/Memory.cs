using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Signpost.Engine.Base;

/// <summary>Hints to the memory system.</summary>
public static unsafe class Memory
{
    /// <summary>Asks for the cache line at <paramref name="address"/>; never faults, does nothing where the CPU has no such hint.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(void* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }
}
