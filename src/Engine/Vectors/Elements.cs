using System.Runtime.InteropServices;
using Signpost.Engine.Base;

namespace Signpost.Engine.Vectors;

/// <summary>Conversion between a vector's stored components and float32.</summary>
public static class Elements
{
    /// <summary>Widens <paramref name="row"/>, components of <paramref name="type"/>, exactly.</summary>
    public static void ToFloat(ReadOnlySpan<byte> row, ElementType type, Span<float> target)
    {
        switch (type)
        {
            case ElementType.Float32:
                MemoryMarshal.Cast<byte, float>(row).CopyTo(target);
                break;
            case ElementType.Float16:
                ReadOnlySpan<Half> halves = MemoryMarshal.Cast<byte, Half>(row);
                for (int i = 0; i < halves.Length; i++)
                {
                    target[i] = (float)halves[i];
                }

                break;
            case ElementType.UInt8:
                for (int i = 0; i < row.Length; i++)
                {
                    target[i] = row[i];
                }

                break;
            case ElementType.Int8:
                for (int i = 0; i < row.Length; i++)
                {
                    target[i] = (sbyte)row[i];
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "unknown element type");
        }
    }

    /// <summary>
    /// Stores <paramref name="values"/> as components of <paramref name="type"/>. Refused: NaN and infinities, values beyond the
    /// type's range; integers are rounded half to even.
    /// </summary>
    public static Problem? FromFloat(ReadOnlySpan<float> values, ElementType type, Span<byte> target)
    {
        for (int i = 0; i < values.Length; i++)
        {
            float value = values[i];
            (float low, float high) = Range(type);
            if (!(value >= low && value <= high))
            {
                return new Problem(
                    ProblemCode.InvalidComponent, $"component {i}", $"{value}", $"a finite {type} in [{low}, {high}]", "Scale or clean the vector.");
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

    private static (float Low, float High) Range(ElementType type) => type switch
    {
        ElementType.Float32 => (float.MinValue, float.MaxValue),
        ElementType.Float16 => ((float)Half.MinValue, (float)Half.MaxValue),
        ElementType.UInt8 => (byte.MinValue, byte.MaxValue),
        ElementType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "unknown element type"),
    };
}
