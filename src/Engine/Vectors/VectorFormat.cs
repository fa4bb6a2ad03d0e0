using Signpost.Engine.Base;

namespace Signpost.Engine.Vectors;

/// <summary>Layouts of vector files, known by their extensions. All numbers are little-endian.</summary>
public enum VectorFormat
{
    /// <summary><c>.fvecs</c>: per row an int32 dimension, then float32 components (TEXMEX).</summary>
    Fvecs,

    /// <summary><c>.bvecs</c>: per row an int32 dimension, then uint8 components (TEXMEX).</summary>
    Bvecs,

    /// <summary><c>.ivecs</c>: per row an int32 dimension, then int32 ids: no vectors, see <see cref="GroundTruth"/> (TEXMEX).</summary>
    Ivecs,

    /// <summary><c>.fbin</c>: uint32 count, uint32 dimension, then float32 rows (Big-ANN).</summary>
    Fbin,

    /// <summary><c>.u8bin</c>: uint32 count, uint32 dimension, then uint8 rows (Big-ANN).</summary>
    U8bin,

    /// <summary><c>.i8bin</c>: uint32 count, uint32 dimension, then int8 rows (Big-ANN).</summary>
    I8bin,

    /// <summary><c>.npy</c>: one NumPy array [count, dim] of float32, float16, uint8 or int8, in C order.</summary>
    Npy,
}

/// <summary>What a vector file says about itself.</summary>
/// <param name="Path">The file.</param>
/// <param name="Format">Its layout.</param>
/// <param name="Count">Rows.</param>
/// <param name="Dim">Components of a row; for <see cref="VectorFormat.Ivecs"/> ids of a row.</param>
/// <param name="Type">Type of a component; null for the int32 ids of <see cref="VectorFormat.Ivecs"/>.</param>
/// <param name="Bytes">Size of the file.</param>
public sealed record VectorFileInfo(string Path, VectorFormat Format, long Count, int Dim, ElementType? Type, long Bytes);

/// <summary>The names and abilities of <see cref="VectorFormat"/>.</summary>
public static class VectorFormats
{
    /// <summary>The format that the extension of <paramref name="path"/> names, in any case of letters.</summary>
    public static Outcome<VectorFormat> Of(string path)
    {
        string extension = Path.GetExtension(path);
        foreach (VectorFormat format in Enum.GetValues<VectorFormat>())
        {
            if (extension.Equals(format.Extension(), StringComparison.OrdinalIgnoreCase))
            {
                return format;
            }
        }

        return new Problem(
            ProblemCode.InvalidArgument,
            $"the format of {path}",
            extension.Length == 0 ? "no extension" : extension,
            string.Join(" ", Enum.GetValues<VectorFormat>().Select(Extension)),
            "Name the file after its format.");
    }

    /// <summary>The extension with its dot, in lower case.</summary>
    public static string Extension(this VectorFormat format) => "." + format.ToString().ToLowerInvariant();

    /// <summary>Whether vectors of <paramref name="type"/> can be stored without changing them.</summary>
    public static bool Holds(this VectorFormat format, ElementType type) => format switch
    {
        VectorFormat.Npy => true,
        VectorFormat.Ivecs => false,
        _ => format.FixedType() == type,
    };

    /// <summary>The only component type of a format; null where the file says it, or where there are only ids.</summary>
    internal static ElementType? FixedType(this VectorFormat format) => format switch
    {
        VectorFormat.Fvecs or VectorFormat.Fbin => ElementType.Float32,
        VectorFormat.Bvecs or VectorFormat.U8bin => ElementType.UInt8,
        VectorFormat.I8bin => ElementType.Int8,
        VectorFormat.Ivecs or VectorFormat.Npy => null,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "unknown format"),
    };
}
