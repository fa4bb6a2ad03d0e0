using System.Runtime.CompilerServices;

namespace Signpost.Engine.Quantizers;

/// <summary>
/// Where the M numbers of a code lie. K = 256: number m is byte m. K = 16: number m is in byte m / 2, in the low nibble where m is
/// even and in the high one where it is odd; the last high nibble of an odd M is zero.
/// </summary>
internal static unsafe class CodeNumbers
{
    /// <summary>Byte that holds number <paramref name="m"/>.</summary>
    public static int ByteOf(int m, int k) => k == 16 ? m / 2 : m;

    /// <summary>Number <paramref name="m"/> of <paramref name="code"/>.</summary>
    public static int Read(ReadOnlySpan<byte> code, int m, int k) => k == 16 ? (code[m / 2] >> (4 * (m & 1))) & 15 : code[m];

    /// <summary>Sets number <paramref name="m"/> in its byte, <paramref name="target"/>; they must be set in ascending order of m.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(byte* target, int m, int k, int number) =>
        *target = k == 16 && (m & 1) == 1 ? (byte)(*target | (number << 4)) : (byte)number;
}
