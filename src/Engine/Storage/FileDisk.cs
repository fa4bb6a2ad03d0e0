using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Signpost.Engine.Base;

namespace Signpost.Engine.Storage;

/// <summary>The file system of this machine.</summary>
public sealed partial class FileDisk : IDisk
{
    private const int InvalidArgument = 22; // EINVAL

    // What .NET's IOException carries where another has the file: EAGAIN of Linux, EAGAIN of the BSDs, ERROR_SHARING_VIOLATION.
    private static readonly int[] HeldByAnother = [11, 35, unchecked((int)0x80070020)];

    private FileDisk()
    {
    }

    /// <summary>The one disk.</summary>
    public static FileDisk Instance { get; } = new();

    /// <inheritdoc/>
    public IFileReader OpenRead(string path) =>
        new Reader(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete));

    /// <inheritdoc/>
    public IFileWriter Create(string path, long expectedBytes) =>
        new Writer(File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, expectedBytes));

    /// <inheritdoc/>
    public void Replace(string from, string to) => File.Move(from, to, overwrite: true);

    /// <inheritdoc/>
    public void Delete(string path)
    {
        if (File.Exists(path))
        {
            File.Delete(path);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string folder) => Names(folder, Directory.EnumerateFiles);

    /// <inheritdoc/>
    public IReadOnlyList<string> ListFolders(string folder) => Names(folder, Directory.EnumerateDirectories);

    /// <inheritdoc/>
    public void CreateFolder(string folder)
    {
        string full = Path.GetFullPath(folder);
        if (Directory.Exists(full))
        {
            return;
        }

        string? parent = Path.GetDirectoryName(full);
        if (parent is not null)
        {
            CreateFolder(parent);
        }

        Directory.CreateDirectory(full);
        if (parent is not null)
        {
            SyncFolder(parent);
        }
    }

    /// <inheritdoc/>
    public IDisposable? TryLock(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (HeldByAnother.Contains(e.HResult))
        {
            return null;
        }
    }

    /// <inheritdoc/>
    /// <remarks>Windows has no such call; its file systems journal names.</remarks>
    public void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        int descriptor = open(folder, 0); // .NET opens no folders; O_RDONLY is 0 on every Unix
        if (descriptor < 0)
        {
            throw Failed("open", folder);
        }

        try
        {
            // Some network file systems answer EINVAL: they cannot sync a folder, and nothing better can be done there.
            if (fsync(descriptor) != 0 && Marshal.GetLastPInvokeError() != InvalidArgument)
            {
                throw Failed("fsync", folder);
            }
        }
        finally
        {
            _ = close(descriptor);
        }
    }

    private static string[] Names(string folder, Func<string, IEnumerable<string>> pathsIn) =>
        Directory.Exists(folder) ? [.. pathsIn(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)] : [];

    private static IOException Failed(string call, string path) =>
        new($"{path}: {call} of the folder failed: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);

    private sealed class Writer(SafeFileHandle handle) : IFileWriter
    {
        public void Write(long offset, ReadOnlySpan<byte> data) => RandomAccess.Write(handle, data, offset);

        public void Sync() => RandomAccess.FlushToDisk(handle);

        public void Dispose() => handle.Dispose();
    }

    private sealed class Reader(SafeFileHandle handle) : IFileReader
    {
        public long Length { get; } = RandomAccess.GetLength(handle);

        public int Read(long offset, Span<byte> target)
        {
            int done = 0;
            while (done < target.Length)
            {
                int got = RandomAccess.Read(handle, target[done..], offset + done);
                if (got == 0)
                {
                    break;
                }

                done += got;
            }

            return done;
        }

        public unsafe MappedBytes Map(long offset, long length)
        {
            if (length == 0)
            {
                return new MappedBytes(null, 0, null); // an empty range cannot be mapped
            }

            var mapping = new MappedFile(handle, offset, length);
            return new MappedBytes(mapping.Pointer, length, mapping);
        }

        public void Dispose() => handle.Dispose();
    }
}
