using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using Signpost.Engine.Base;

namespace Signpost.Engine.Vectors;

/// <summary>A file open for reading: small checked reads that know where they are, and the mapping of the whole.</summary>
internal sealed class FileSource : IDisposable
{
    private readonly SafeFileHandle _handle;

    private FileSource(string path, SafeFileHandle handle)
    {
        Path = path;
        _handle = handle;
        Length = RandomAccess.GetLength(handle);
    }

    public string Path { get; }

    public long Length { get; }

    /// <summary>Opens <paramref name="path"/>; a <see cref="ProblemException"/> where there is no such file.</summary>
    public static FileSource Open(string path)
    {
        if (!File.Exists(path))
        {
            string got = Directory.Exists(path) ? "a folder" : "nothing";
            throw new ProblemException(
                new Problem(ProblemCode.NotFound, $"the file {path}", got, "a file", "Check the path and the working folder."));
        }

        return new FileSource(path, File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.RandomAccess));
    }

    /// <summary>Bytes at <paramref name="offset"/>; refused where the file ends before.</summary>
    public void Read(long offset, Span<byte> target, string what)
    {
        int done = 0;
        while (done < target.Length)
        {
            int read = RandomAccess.Read(_handle, target[done..], offset + done);
            if (read == 0)
            {
                throw Bad(offset + done, "the end of the file", $"{what} of {target.Length} bytes at {offset}");
            }

            done += read;
        }
    }

    public int ReadInt32(long offset, string what)
    {
        Span<byte> bytes = stackalloc byte[4];
        Read(offset, bytes, what);
        return BinaryPrimitives.ReadInt32LittleEndian(bytes);
    }

    public uint ReadUInt32(long offset, string what) => (uint)ReadInt32(offset, what);

    /// <summary>Maps the whole file, which must not be empty. The mapping stays valid when this source is disposed.</summary>
    public MappedFile Map() => new(_handle, 0, Length);

    /// <summary>The exception for this file.</summary>
    public BadFileException Bad(long offset, string got, string expected) => new(Path, offset, got, expected);

    public void Dispose() => _handle.Dispose();
}
