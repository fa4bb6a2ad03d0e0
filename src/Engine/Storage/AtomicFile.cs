namespace Signpost.Engine.Storage;

/// <summary>
/// Publishes a file whole or not at all, whenever the process or the machine stops: write under a temporary name, sync the file,
/// rename, sync the folder. A reader sees the old file or the new one.
/// </summary>
/// <remarks>
/// A stop before the rename leaves a <c>*.tmp</c> file, which no reader looks at; <see cref="RemoveLitter"/> takes it away.
/// </remarks>
public static class AtomicFile
{
    /// <summary>How the names of unpublished files end.</summary>
    public const string TemporarySuffix = ".tmp";

    private static int _number;

    /// <summary>Publishes <paramref name="path"/> with what <paramref name="write"/> writes; on return it survives a power loss.</summary>
    /// <param name="disk">Where.</param>
    /// <param name="path">The file; one of that name is replaced.</param>
    /// <param name="expectedBytes">Space to claim before writing.</param>
    /// <param name="write">Writes the content; an exception leaves the old file as it was.</param>
    /// <param name="verify">Reads the finished file under its temporary name before it gets its own; an exception leaves the old file too.</param>
    public static void Write(IDisk disk, string path, long expectedBytes, Action<IFileWriter> write, Action<string>? verify = null)
    {
        // Own name for every attempt: two writers of one path never share a file, and the last to finish wins whole.
        string temporary = $"{path}.{Environment.ProcessId:x}-{Interlocked.Increment(ref _number):x}{TemporarySuffix}";
        try
        {
            using (IFileWriter file = disk.Create(temporary, expectedBytes))
            {
                write(file);
                file.Sync();
            }

            verify?.Invoke(temporary);
            disk.Replace(temporary, path);
        }
        catch
        {
            TryDelete(disk, temporary);
            throw;
        }

        disk.SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>
    /// Deletes what interrupted writers left in <paramref name="folder"/>; returns how many files. Only for the one builder of the
    /// folder: a writer that is at work there would fail, without damage to published files.
    /// </summary>
    public static int RemoveLitter(IDisk disk, string folder)
    {
        int removed = 0;
        foreach (string name in disk.List(folder))
        {
            if (name.EndsWith(TemporarySuffix, StringComparison.Ordinal))
            {
                disk.Delete(Path.Combine(folder, name));
                removed++;
            }
        }

        return removed;
    }

    private static void TryDelete(IDisk disk, string path)
    {
        try
        {
            disk.Delete(path);
        }
        catch (IOException)
        {
            // The first failure is the one to report; what remains is litter.
        }
    }
}
