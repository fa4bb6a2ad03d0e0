using System.Runtime.CompilerServices;
using Signpost.Engine.Base;

namespace Signpost.Engine.Graphs;

/// <summary>
/// A directed graph of <see cref="Count"/> vertices with at most <see cref="R"/> out-neighbours each, nearest first, in one piece
/// of native memory.
/// </summary>
/// <remarks>
/// Layout: [Count, R] ids of <see cref="IdBytes"/> bytes (3 where Count fits 24 bits, else 4), little-endian, plus one
/// spare byte at the end so that a 3-byte id may be read as 4. Unused places at the end of a row hold <see cref="None"/>.
/// </remarks>
public sealed unsafe class Graph : IDisposable
{
    private readonly IDisposable? _owner;

    /// <summary>Describes rows that <paramref name="owner"/> holds and frees with this graph (null: not ours).</summary>
    public Graph(byte* rows, uint count, int r, uint entry, IDisposable? owner)
    {
        Check.That(r > 0 && (count == 0 || entry < count));
        Rows = rows;
        Count = count;
        R = r;
        Entry = entry;
        IdBytes = IdBytesFor(count);
        None = IdBytes == 3 ? 0xFF_FFFFu : uint.MaxValue;
        RowBytes = r * IdBytes;
        _owner = owner;
    }

    /// <summary>First byte of row 0.</summary>
    public byte* Rows { get; }

    /// <summary>Number of vertices.</summary>
    public uint Count { get; }

    /// <summary>Most out-neighbours of a vertex.</summary>
    public int R { get; }

    /// <summary>The vertex where searches start: the navigating node.</summary>
    public uint Entry { get; }

    /// <summary>Bytes of an id: 3 or 4.</summary>
    public int IdBytes { get; }

    /// <summary>The value in unused places: all bits set.</summary>
    public uint None { get; }

    /// <summary>Bytes of a row.</summary>
    public int RowBytes { get; }

    /// <summary>Bytes of a graph of this shape, the spare one included.</summary>
    public static long BytesFor(uint count, int r) => (long)count * r * IdBytesFor(count) + 1;

    /// <summary>3 where every id and <see cref="None"/> fit 24 bits, else 4.</summary>
    public static int IdBytesFor(uint count) => count <= 0xFF_FFFF ? 3 : 4;

    /// <summary>A graph without edges, in memory of its own.</summary>
    public static Graph Allocate(uint count, int r, uint entry)
    {
        var buffer = new AlignedBuffer(BytesFor(count, r));
        var graph = new Graph(buffer.Pointer, count, r, entry, buffer);
        for (uint v = 0; v < count; v++)
        {
            new Span<byte>(graph.Row(v), graph.RowBytes).Fill(0xFF);
        }

        return graph;
    }

    /// <summary>First byte of the row of <paramref name="vertex"/>; not checked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Row(uint vertex) => Rows + (long)vertex * RowBytes;

    /// <summary>Copies the out-neighbours of <paramref name="vertex"/> to <paramref name="target"/> (at least R long); returns how many.</summary>
    public int Neighbours(uint vertex, Span<uint> target)
    {
        Check.That(vertex < Count);
        byte* row = Row(vertex);
        for (int i = 0; i < R; i++)
        {
            uint id = ReadId(row, i);
            if (id == None)
            {
                return i;
            }

            target[i] = id;
        }

        return R;
    }

    /// <summary>Replaces the out-neighbours of <paramref name="vertex"/>. Not for a graph that is being searched.</summary>
    public void SetNeighbours(uint vertex, ReadOnlySpan<uint> ids)
    {
        Check.That(vertex < Count && ids.Length <= R);
        byte* row = Row(vertex);
        for (int i = 0; i < R; i++)
        {
            uint id = i < ids.Length ? ids[i] : None;
            Check.That(i >= ids.Length || id < Count);
            for (int b = 0; b < IdBytes; b++)
            {
                row[i * IdBytes + b] = (byte)(id >> (8 * b));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _owner?.Dispose();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint ReadId(byte* row, int i)
    {
        uint id = Unsafe.ReadUnaligned<uint>(row + i * IdBytes);
        return IdBytes == 3 ? id & 0xFF_FFFF : id;
    }
}
