using Signpost.Engine.Base;

namespace Signpost.Engine.Vectors;

/// <summary>fvecs, bvecs, ivecs: records of an int32 dimension and that many components (corpus-texmex.irisa.fr).</summary>
internal static class VecsFormat
{
    /// <summary>Record headers looked at when a file is opened; a shorter file is checked whole.</summary>
    public const int SampledHeaders = 1 << 12;

    private const int PrefixBytes = 4;

    public static VectorLayout Of(VectorFormat format, long count, int dim) =>
        new(format, format.FixedType(), count, dim, HeaderBytes: 0, PrefixBytes);

    public static VectorLayout Read(FileSource source, VectorFormat format)
    {
        int dim = VectorLayout.CheckDim(source, 0, source.ReadInt32(0, "a dimension"));
        VectorLayout layout = Of(format, 0, dim);
        (long count, long rest) = Math.DivRem(source.Length, layout.RecordBytes);
        if (rest != 0)
        {
            throw source.Bad(layout.RecordOffset(count), $"{rest} bytes at the end", $"whole records of {layout.RecordBytes} bytes");
        }

        layout = layout with { Count = count };
        long step = Math.Max(1, count / SampledHeaders);
        for (long row = 0; row < count; row += step)
        {
            CheckRow(source, layout, row);
        }

        CheckRow(source, layout, count - 1);
        return layout;
    }

    /// <summary>Refuses a row whose dimension is not that of row 0.</summary>
    public static void CheckDim(FileSource source, in VectorLayout layout, long row, int dim)
    {
        if (dim != layout.Dim)
        {
            throw BadDim(source, layout, row, dim);
        }
    }

    /// <summary>The exception for a row that says <paramref name="dim"/>.</summary>
    public static BadFileException BadDim(FileSource source, in VectorLayout layout, long row, int dim) =>
        source.Bad(layout.RecordOffset(row), $"dimension {dim} in row {row}", $"dimension {layout.Dim} as in row 0");

    private static void CheckRow(FileSource source, in VectorLayout layout, long row) =>
        CheckDim(source, layout, row, source.ReadInt32(layout.RecordOffset(row), "a dimension"));
}
