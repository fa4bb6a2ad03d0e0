namespace Signpost.Engine.Storage;

/// <summary>
/// What storage asks of a file system, and no more, so that a test can put a disk in its place that stops, tears and forgets.
/// Failures of the device are <see cref="IOException"/>. Thread-safe; readers and writers are used by one thread at a time.
/// </summary>
public interface IDisk
{
    /// <summary>Opens an existing file. <see cref="FileNotFoundException"/> or <see cref="DirectoryNotFoundException"/> where there is none.</summary>
    IFileReader OpenRead(string path);

    /// <summary>
    /// Creates a file that must not exist yet, and claims <paramref name="expectedBytes"/> of space where the file system can, so
    /// that a full disk is noticed before the work and not after it.
    /// </summary>
    IFileWriter Create(string path, long expectedBytes);

    /// <summary>Gives the file <paramref name="from"/> the name <paramref name="to"/> of the same folder, in place of a file that has it.</summary>
    void Replace(string from, string to);

    /// <summary>Removes a file; nothing happens where there is none.</summary>
    void Delete(string path);

    /// <summary>Names (without folder) of the files in <paramref name="folder"/>, in ordinal order; none where the folder is missing.</summary>
    IReadOnlyList<string> List(string folder);

    /// <summary>Names of the folders in <paramref name="folder"/>, in ordinal order; none where the folder is missing.</summary>
    IReadOnlyList<string> ListFolders(string folder);

    /// <summary>Creates a folder and those above it, durably; nothing happens where it exists.</summary>
    void CreateFolder(string folder);

    /// <summary>
    /// Holds the file <paramref name="path"/>, which is made where it is missing, until the result is disposed or the process ends in
    /// whatever way; null while another holder has it, in this process or another. Readers and writers of other files do not care.
    /// </summary>
    IDisposable? TryLock(string path);

    /// <summary>Makes the names in <paramref name="folder"/> durable: what was created, renamed or removed there stays so after a power loss.</summary>
    void SyncFolder(string folder);
}

/// <summary>An open file. Closing it leaves its mappings valid.</summary>
public interface IFileReader : IDisposable
{
    /// <summary>Bytes of the file.</summary>
    long Length { get; }

    /// <summary>Fills <paramref name="target"/> from byte <paramref name="offset"/> on; returns the bytes got, fewer only at the end of the file.</summary>
    int Read(long offset, Span<byte> target);

    /// <summary>Maps [offset, offset + length), which lies inside the file, read-only.</summary>
    MappedBytes Map(long offset, long length);
}

/// <summary>A file being written. Closing it does not make it durable; <see cref="Sync"/> does.</summary>
public interface IFileWriter : IDisposable
{
    /// <summary>Writes at byte <paramref name="offset"/>; the file grows as needed.</summary>
    void Write(long offset, ReadOnlySpan<byte> data);

    /// <summary>Returns when everything written is on the device.</summary>
    void Sync();
}

/// <summary>Bytes of a file as memory, until disposed.</summary>
/// <param name="pointer">First byte; null where <paramref name="length"/> is 0.</param>
/// <param name="length">Bytes.</param>
/// <param name="owner">Holds the memory and frees it with this object.</param>
public sealed unsafe class MappedBytes(byte* pointer, long length, IDisposable? owner) : IDisposable
{
    /// <summary>First byte.</summary>
    public byte* Pointer { get; } = pointer;

    /// <summary>Bytes.</summary>
    public long Length { get; } = length;

    /// <inheritdoc/>
    public void Dispose() => owner?.Dispose();
}
