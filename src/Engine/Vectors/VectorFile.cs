using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using Signpost.Engine.Base;

namespace Signpost.Engine.Vectors;

/// <summary>
/// Vector files of the formats of <see cref="VectorFormat"/>. Reading maps the file, so any size opens at once and only the rows that
/// are touched take memory. A file that was replaced while mapped goes on serving its old rows; one that is cut in place while
/// mapped ends the process, as with every mapped file, so replace files by renaming (as <see cref="Write"/> does).
/// </summary>
/// <remarks>
/// Errors: <see cref="ProblemException"/> with NotFound (no such file) or InvalidArgument (unknown extension, or a type that the format
/// cannot hold); <see cref="BadFileException"/> for a file that is not what its extension says.
/// </remarks>
public static class VectorFile
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>
    /// Maps a file of vectors read-only. Checked here: header, exact length and, for fvecs and bvecs, the dimension of the first, the
    /// last and some 4,096 evenly spaced rows. <see cref="Verify"/> checks everything.
    /// </summary>
    public static VectorBlock Open(string path)
    {
        using FileSource source = OpenSource(path, out VectorLayout layout);
        if (layout.Type is not { } type)
        {
            throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, $"vectors from {path}", "a file of ids", "a file of vectors", "Open it as ground truth."));
        }

        MappedFile map = source.Map();
        unsafe
        {
            return new VectorBlock(map.Pointer + layout.RowOffset(0), layout.Count, layout.Dim, type, layout.RecordBytes, map);
        }
    }

    /// <summary>What a file says about itself, checked as far as <see cref="Open"/> checks.</summary>
    public static VectorFileInfo Inspect(string path)
    {
        using FileSource source = OpenSource(path, out VectorLayout layout);
        return Info(source, layout);
    }

    /// <summary>Reads the whole file: every row has the same dimension and every component is finite. The first defect is thrown.</summary>
    public static VectorFileInfo Verify(string path, Work work)
    {
        using FileSource source = OpenSource(path, out VectorLayout layout);
        using MappedFile map = source.Map();
        var rows = new RowChecker(map, layout);
        long firstBad = long.MaxValue;
        work.For("verify", layout.Count, RowsPerChunk(layout), (from, to, _) =>
        {
            // The lowest bad row is told, whichever thread is first to find one.
            if (from < Volatile.Read(ref firstBad))
            {
                LowerTo(ref firstBad, rows.FirstBad(from, to));
            }
        });

        return firstBad == long.MaxValue ? Info(source, layout) : throw rows.Describe(source, firstBad);
    }

    /// <summary>
    /// Writes <paramref name="block"/> in the format that the extension of <paramref name="path"/> names, through a temporary file in
    /// the same folder that replaces <paramref name="path"/> when it is complete. Components are stored as they are, never converted.
    /// </summary>
    public static void Write(string path, VectorBlock block, Work? work = null)
    {
        work ??= Work.Quiet;
        VectorFormat format = VectorFormats.Of(path).OrThrow();
        if (Unwritable(format, block) is { } problem)
        {
            throw new ProblemException(problem);
        }

        (VectorLayout layout, byte[] header) = format switch
        {
            VectorFormat.Fvecs or VectorFormat.Bvecs => (VecsFormat.Of(format, block.Count, block.Dim), Array.Empty<byte>()),
            VectorFormat.Npy =>
                (NpyFormat.Of(block.Type, block.Count, block.Dim), NpyFormat.Header(block.Type, block.Count, block.Dim)),
            _ => (BinFormat.Of(format, block.Count, block.Dim), BinFormat.Header((uint)block.Count, (uint)block.Dim)),
        };
        WholeFile.Write(path, layout.FileBytes, handle =>
        {
            RandomAccess.Write(handle, header, 0);
            WriteRows(handle, layout, block, work);
        });
    }

    private static void WriteRows(SafeFileHandle handle, VectorLayout layout, VectorBlock block, Work work)
    {
        int record = (int)layout.RecordBytes;
        int rowsPerChunk = RowsPerChunk(layout);
        byte[]?[] buffers = new byte[]?[work.Threads];
        work.For("write", layout.Count, rowsPerChunk, (from, to, worker) =>
        {
            byte[] buffer = buffers[worker] ??= new byte[rowsPerChunk * record];
            Span<byte> rest = buffer.AsSpan(0, (int)(to - from) * record);
            for (long row = from; row < to; row++)
            {
                if (layout.PrefixBytes > 0)
                {
                    BinaryPrimitives.WriteInt32LittleEndian(rest, layout.Dim);
                }

                block.RowSpan(row).CopyTo(rest[layout.PrefixBytes..]);
                rest = rest[record..];
            }

            RandomAccess.Write(handle, buffer.AsSpan(0, (int)(to - from) * record), layout.RecordOffset(from));
        });
    }

    private static Problem? Unwritable(VectorFormat format, VectorBlock block)
    {
        string got = $"{block.Count} {block.Type} vectors of {block.Dim}";
        if (!format.Holds(block.Type))
        {
            string able = string.Join(" ", Enum.GetValues<VectorFormat>().Where(f => f.Holds(block.Type)).Select(f => f.Extension()));
            return new Problem(
                ProblemCode.InvalidArgument, $"a file {format.Extension()}", got, able, "Choose a format that holds this type.");
        }

        (long least, long most) = format switch
        {
            VectorFormat.Fvecs or VectorFormat.Bvecs => (1, long.MaxValue), // an empty file would not say its dimension
            VectorFormat.Npy => (0, long.MaxValue),
            _ => (0, uint.MaxValue),
        };
        return block.Count >= least && block.Count <= most && block.Dim <= VectorLayout.MaxDim
            ? null
            : new Problem(
                ProblemCode.InvalidArgument,
                $"a file {format.Extension()}",
                got,
                $"{least} .. {most} vectors of at most {VectorLayout.MaxDim}",
                "Choose .npy, or split the vectors.");
    }

    private static FileSource OpenSource(string path, out VectorLayout layout)
    {
        VectorFormat format = VectorFormats.Of(path).OrThrow();
        FileSource source = FileSource.Open(path);
        try
        {
            layout = VectorLayout.Read(source, format);
            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    private static VectorFileInfo Info(FileSource source, in VectorLayout layout) =>
        new(source.Path, layout.Format, layout.Count, layout.Dim, layout.Type, source.Length);

    private static int RowsPerChunk(in VectorLayout layout) => (int)Math.Max(1, ChunkBytes / layout.RecordBytes);

    private static void LowerTo(ref long target, long value)
    {
        long seen = Volatile.Read(ref target);
        while (value < seen)
        {
            long before = Interlocked.CompareExchange(ref target, value, seen);
            if (before == seen)
            {
                return;
            }

            seen = before;
        }
    }
}
