using System.Buffers.Binary;
using Signpost.Engine.Base;

namespace Signpost.Engine.Vectors;

/// <summary>Looks for rows of a mapped file with another dimension or a component that is not finite.</summary>
internal sealed unsafe class RowChecker(MappedFile map, VectorLayout layout)
{
    /// <summary>The lowest bad row in [from, to), or <see cref="long.MaxValue"/>.</summary>
    public long FirstBad(long from, long to)
    {
        for (long row = from; row < to; row++)
        {
            if (BadPrefix(row) || FirstNonFinite(row) >= 0)
            {
                return row;
            }
        }

        return long.MaxValue;
    }

    /// <summary>What is wrong with a row that <see cref="FirstBad"/> found.</summary>
    public BadFileException Describe(FileSource source, long row)
    {
        if (BadPrefix(row))
        {
            return VecsFormat.BadDim(source, layout, row, Prefix(row));
        }

        int component = FirstNonFinite(row);
        Check.That(component >= 0 && layout.Type is not null);
        ElementType type = layout.Type.Value;
        Span<float> values = new float[layout.Dim];
        Elements.ToFloat(Row(row), type, values);
        return source.Bad(
            layout.RowOffset(row) + ((long)component * type.Bytes()),
            $"{values[component]} as component {component} of row {row}",
            "a finite number");
    }

    private bool BadPrefix(long row) => layout.PrefixBytes > 0 && Prefix(row) != layout.Dim;

    private int Prefix(long row) =>
        BinaryPrimitives.ReadInt32LittleEndian(new ReadOnlySpan<byte>(map.Pointer + layout.RecordOffset(row), layout.PrefixBytes));

    private int FirstNonFinite(long row) => layout.Type is { } type ? Elements.IndexOfNonFinite(Row(row), type) : -1;

    private ReadOnlySpan<byte> Row(long row) => new(map.Pointer + layout.RowOffset(row), layout.RowBytes);
}
