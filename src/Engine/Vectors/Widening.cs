using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Signpost.Engine.Vectors;

/// <summary>How one stored type becomes float32: one value, and eight at once with the same results.</summary>
internal interface IWiden<T>
    where T : unmanaged
{
    static abstract float One(T value);

    /// <summary>Eight values, which begin at <paramref name="first"/>.</summary>
    static abstract (Vector128<float> Low, Vector128<float> High) Eight(ref readonly T first);
}

/// <summary>The loop over a row that all narrow types share.</summary>
internal static class Widening
{
    public static void Convert<T, TWiden>(ReadOnlySpan<T> source, Span<float> target)
        where T : unmanaged
        where TWiden : IWiden<T>
    {
        target = target[..source.Length];
        int i = 0;
        if (Vector128.IsHardwareAccelerated)
        {
            for (; i <= source.Length - 8; i += 8)
            {
                (Vector128<float> low, Vector128<float> high) = TWiden.Eight(in source[i]);
                ref float first = ref target[i];
                low.StoreUnsafe(ref first);
                high.StoreUnsafe(ref first, 4);
            }
        }

        for (; i < source.Length; i++)
        {
            target[i] = TWiden.One(source[i]);
        }
    }

    /// <summary>Eight bytes as the lower half of a register.</summary>
    public static Vector128<byte> LoadEightBytes(ref readonly byte first) =>
        Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(in first)).AsByte();
}

/// <summary>uint8 to float32.</summary>
internal readonly struct WidenUInt8 : IWiden<byte>
{
    public static float One(byte value) => value;

    public static (Vector128<float> Low, Vector128<float> High) Eight(ref readonly byte first)
    {
        (Vector128<uint> low, Vector128<uint> high) = Vector128.Widen(Vector128.WidenLower(Widening.LoadEightBytes(in first)));
        return (Vector128.ConvertToSingle(low.AsInt32()), Vector128.ConvertToSingle(high.AsInt32()));
    }
}

/// <summary>int8 to float32.</summary>
internal readonly struct WidenInt8 : IWiden<sbyte>
{
    public static float One(sbyte value) => value;

    public static (Vector128<float> Low, Vector128<float> High) Eight(ref readonly sbyte first)
    {
        ref readonly byte bytes = ref Unsafe.As<sbyte, byte>(ref Unsafe.AsRef(in first));
        (Vector128<int> low, Vector128<int> high) = Vector128.Widen(Vector128.WidenLower(Widening.LoadEightBytes(in bytes).AsSByte()));
        return (Vector128.ConvertToSingle(low), Vector128.ConvertToSingle(high));
    }
}

/// <summary>IEEE binary16, as its bits, to float32.</summary>
internal readonly struct WidenHalf : IWiden<ushort>
{
    public static float One(ushort value) => (float)BitConverter.UInt16BitsToHalf(value);

    public static (Vector128<float> Low, Vector128<float> High) Eight(ref readonly ushort first)
    {
        (Vector128<uint> low, Vector128<uint> high) = Vector128.Widen(Vector128.LoadUnsafe(in first));
        return (Four(low), Four(high));
    }

    /// <summary>
    /// Exponent and fraction move up 13 bits, which leaves the exponent 112 too small; a multiplication by 2^112 puts that right and
    /// makes subnormal halves normal. Only infinity and NaN need their exponent set by hand.
    /// </summary>
    private static Vector128<float> Four(Vector128<uint> bits)
    {
        Vector128<uint> exponent = Vector128.Create(0x7C00u);
        Vector128<uint> sign = (bits & Vector128.Create(0x8000u)) << 16;
        Vector128<float> magnitude = ((bits & Vector128.Create(0x7FFFu)) << 13).AsSingle() * Vector128.Create(5.192296858534828e33f);
        Vector128<uint> special = Vector128.Equals(bits & exponent, exponent) & Vector128.Create(0x7F800000u);
        return (magnitude.AsUInt32() | special | sign).AsSingle();
    }
}
