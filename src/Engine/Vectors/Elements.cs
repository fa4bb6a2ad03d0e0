using System.Numerics;
using System.Runtime.InteropServices;
using Signpost.Engine.Base;

namespace Signpost.Engine.Vectors;

/// <summary>Conversion between a vector's stored components and float32.</summary>
public static class Elements
{
    /// <summary>
    /// Widens <paramref name="row"/>, components of <paramref name="type"/>, exactly, into the first components of
    /// <paramref name="target"/>, which must be long enough.
    /// </summary>
    public static void ToFloat(ReadOnlySpan<byte> row, ElementType type, Span<float> target)
    {
        switch (type)
        {
            case ElementType.Float32:
                MemoryMarshal.Cast<byte, float>(row).CopyTo(target);
                break;
            case ElementType.Float16:
                Widening.Convert<ushort, WidenHalf>(MemoryMarshal.Cast<byte, ushort>(row), target);
                break;
            case ElementType.UInt8:
                Widening.Convert<byte, WidenUInt8>(row, target);
                break;
            case ElementType.Int8:
                Widening.Convert<sbyte, WidenInt8>(MemoryMarshal.Cast<byte, sbyte>(row), target);
                break;
            default:
                throw Unknown(type);
        }
    }

    /// <summary>
    /// Stores <paramref name="values"/> as components of <paramref name="type"/>. Refused: NaN and infinities, values beyond the
    /// type's range; integers are rounded half to even. After a refusal <paramref name="target"/> is partly written.
    /// </summary>
    public static Problem? FromFloat(ReadOnlySpan<float> values, ElementType type, Span<byte> target)
    {
        (float low, float high) = Range(type);
        for (int i = 0; i < values.Length; i++)
        {
            float value = values[i];
            if (!(value >= low && value <= high))
            {
                return new Problem(
                    ProblemCode.InvalidComponent,
                    $"component {i}",
                    $"{value}",
                    $"a finite {type} in [{low}, {high}]",
                    "Scale or clean the vector.");
            }

            switch (type)
            {
                case ElementType.Float32:
                    MemoryMarshal.Write(target[(4 * i)..], value);
                    break;
                case ElementType.Float16:
                    MemoryMarshal.Write(target[(2 * i)..], (Half)value);
                    break;
                case ElementType.UInt8:
                    target[i] = (byte)MathF.Round(value);
                    break;
                default:
                    target[i] = (byte)(sbyte)MathF.Round(value);
                    break;
            }
        }

        return null;
    }

    /// <summary>Index of the first component of <paramref name="row"/> that is NaN or infinite, or -1.</summary>
    public static int IndexOfNonFinite(ReadOnlySpan<byte> row, ElementType type) => type switch
    {
        ElementType.Float32 => IndexOfAllSet(MemoryMarshal.Cast<byte, uint>(row), 0x7F800000u),
        ElementType.Float16 => IndexOfAllSet<ushort>(MemoryMarshal.Cast<byte, ushort>(row), 0x7C00),
        ElementType.UInt8 or ElementType.Int8 => -1,
        _ => throw Unknown(type),
    };

    /// <summary>Index of the first value in which all bits of <paramref name="mask"/> (a float's exponent) are set, or -1.</summary>
    private static int IndexOfAllSet<T>(ReadOnlySpan<T> values, T mask)
        where T : unmanaged, IBinaryInteger<T>
    {
        var masks = new Vector<T>(mask);
        int i = 0;
        while (i <= values.Length - Vector<T>.Count && !Vector.EqualsAny(new Vector<T>(values[i..]) & masks, masks))
        {
            i += Vector<T>.Count;
        }

        for (; i < values.Length; i++)
        {
            if ((values[i] & mask) == mask)
            {
                return i;
            }
        }

        return -1;
    }

    private static (float Low, float High) Range(ElementType type) => type switch
    {
        ElementType.Float32 => (float.MinValue, float.MaxValue),
        ElementType.Float16 => ((float)Half.MinValue, (float)Half.MaxValue),
        ElementType.UInt8 => (byte.MinValue, byte.MaxValue),
        ElementType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        _ => throw Unknown(type),
    };

    private static ArgumentOutOfRangeException Unknown(ElementType type) => new(nameof(type), type, "unknown element type");
}
