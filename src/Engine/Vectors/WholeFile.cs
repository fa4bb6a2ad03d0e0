using Microsoft.Win32.SafeHandles;
using Signpost.Engine.Base;

namespace Signpost.Engine.Vectors;

/// <summary>Writes a file so that its name never shows half of it.</summary>
internal static class WholeFile
{
    /// <summary>
    /// Fills a new file of <paramref name="bytes"/> bytes beside <paramref name="path"/>, flushes it to the disk, then gives it that
    /// name, replacing what had it. When <paramref name="fill"/> fails the new file is removed and the old one stays.
    /// </summary>
    public static void Write(string path, long bytes, Action<SafeFileHandle> fill)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? path;
        if (!Directory.Exists(folder))
        {
            throw new ProblemException(
                new Problem(ProblemCode.NotFound, $"the folder of {path}", "nothing", "a folder", "Create the folder first."));
        }

        string temporary = Path.Combine(folder, $"{Path.GetFileName(path)}.{Path.GetRandomFileName()}.tmp");
        try
        {
            // The size is asked for at once: a full disk refuses before an hour of writing.
            using (SafeFileHandle handle = File.OpenHandle(
                temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, preallocationSize: bytes))
            {
                fill(handle);
                RandomAccess.FlushToDisk(handle);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
