using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Signpost.Engine.Base;

/// <summary>
/// CRC-32C (Castagnoli polynomial 0x1EDC6F41, reflected; RFC 3720 appendix B.4): the checksum of every file of Signpost. It finds
/// any error burst of up to 32 bits, and processors of both families compute it in one instruction per 8 bytes.
/// </summary>
public static class Crc32C
{
    /// <summary>Checksum of <paramref name="data"/>.</summary>
    /// <param name="data">Any number of bytes; none gives <paramref name="seed"/>.</param>
    /// <param name="seed">Checksum of the bytes before these, 0 at the start: Compute(b, Compute(a)) = Compute(a then b).</param>
    public static uint Compute(ReadOnlySpan<byte> data, uint seed = 0)
    {
        uint crc = ~seed;
        ref byte at = ref MemoryMarshal.GetReference(data);
        int i = 0;
        for (; i <= data.Length - sizeof(ulong); i += sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, i)));
        }

        for (; i < data.Length; i++)
        {
            crc = BitOperations.Crc32C(crc, data[i]);
        }

        return ~crc;
    }

    /// <summary>Checksum of <paramref name="length"/> native bytes, which may be more than a span can hold.</summary>
    public static unsafe uint Compute(byte* data, long length, uint seed = 0)
    {
        uint crc = seed;
        for (long done = 0; done < length;)
        {
            int step = (int)Math.Min(length - done, 1 << 30);
            crc = Compute(new ReadOnlySpan<byte>(data + done, step), crc);
            done += step;
        }

        return crc;
    }
}
