using Signpost.Engine.Base;

namespace Signpost.Engine.Vectors;

/// <summary>Where the rows of a vector file lie: a header, then Count records of a prefix and Dim components each.</summary>
/// <param name="Format">The format.</param>
/// <param name="Type">Type of a component; null for the int32 ids of ivecs.</param>
/// <param name="Count">Records.</param>
/// <param name="Dim">Components of a record.</param>
/// <param name="HeaderBytes">Bytes before the first record.</param>
/// <param name="PrefixBytes">Bytes of a record before its components: 4 (the repeated dimension) or 0.</param>
internal readonly record struct VectorLayout(
    VectorFormat Format, ElementType? Type, long Count, int Dim, long HeaderBytes, int PrefixBytes)
{
    /// <summary>A larger dimension is taken for a damaged file.</summary>
    public const int MaxDim = 1 << 16;

    /// <summary>Bytes of the int32 ids of ivecs.</summary>
    private const int IdBytes = 4;

    public int RowBytes => Dim * (Type?.Bytes() ?? IdBytes);

    public long RecordBytes => PrefixBytes + RowBytes;

    public long FileBytes => HeaderBytes + (Count * RecordBytes);

    /// <summary>Byte offset of record <paramref name="row"/>, which begins with its prefix.</summary>
    public long RecordOffset(long row) => HeaderBytes + (row * RecordBytes);

    /// <summary>Byte offset of the first component of <paramref name="row"/>.</summary>
    public long RowOffset(long row) => RecordOffset(row) + PrefixBytes;

    /// <summary>Reads and checks the header of <paramref name="source"/>.</summary>
    public static VectorLayout Read(FileSource source, VectorFormat format) => format switch
    {
        VectorFormat.Fvecs or VectorFormat.Bvecs or VectorFormat.Ivecs => VecsFormat.Read(source, format),
        VectorFormat.Fbin or VectorFormat.U8bin or VectorFormat.I8bin => BinFormat.Read(source, format),
        VectorFormat.Npy => NpyFormat.Read(source),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "unknown format"),
    };

    /// <summary>Refuses a dimension outside 1 .. <see cref="MaxDim"/>, read at <paramref name="offset"/>.</summary>
    public static int CheckDim(FileSource source, long offset, long dim) => dim is >= 1 and <= MaxDim
        ? (int)dim
        : throw source.Bad(offset, $"dimension {dim}", $"a dimension in 1 .. {MaxDim}");

    /// <summary>Refuses a file that is not exactly as long as its header promises.</summary>
    public VectorLayout CheckLength(FileSource source)
    {
        long body = source.Length - HeaderBytes;
        if (body % RecordBytes == 0 && body / RecordBytes == Count)
        {
            return this; // compared by division: a hostile count times a record may overflow
        }

        throw source.Bad(
            source.Length,
            $"a file of {source.Length} bytes",
            $"{((Int128)Count * RecordBytes) + HeaderBytes} bytes for {Count} rows of {RecordBytes} bytes");
    }
}
