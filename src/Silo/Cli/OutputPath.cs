using Signpost.Engine.Base;
using Signpost.Silo.Eval;

namespace Signpost.Silo.Cli;

/// <summary>Refuses places that cannot be written before the work begins, not after it.</summary>
internal static class OutputPath
{
    /// <summary>Refuses <paramref name="path"/> of <paramref name="option"/> unless a file can be written there.</summary>
    public static void MustTakeFile(string option, string path)
    {
        if (Directory.Exists(path))
        {
            throw Refused(option, $"the folder '{path}'", "a file", "Add a file name.");
        }

        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(folder))
        {
            throw Refused(option, $"'{path}' in a folder that does not exist", "a file in a folder that exists", "Create the folder first.");
        }

        if (!File.Exists(path))
        {
            Probe(option, folder);
            return;
        }

        try
        {
            File.OpenHandle(path, FileMode.Open, FileAccess.Write).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refused(option, $"'{path}', which cannot be replaced: {e.Message.TrimEnd('.')}", "a file that can", "Check its rights, or choose another.");
        }
    }

    /// <summary>As <see cref="MustTakeFile"/>, for a file of ids.</summary>
    public static void MustTakeIds(string option, string path)
    {
        if (!ExactTruth.IsName(path))
        {
            throw Refused(option, $"'{path}'", $"a name that ends with {string.Join(" | ", ExactTruth.Extensions)}", "Name the file after its format.");
        }

        MustTakeFile(option, path);
    }

    /// <summary>Refuses <paramref name="path"/> of <paramref name="option"/> unless it is a folder to write to, or one can be made there.</summary>
    public static void MustTakeFolder(string option, string path)
    {
        for (string? at = Path.GetFullPath(path); at is not null; at = Path.GetDirectoryName(at))
        {
            if (File.Exists(at))
            {
                throw Refused(option, $"the file '{at}'", "a folder", "Choose another path.");
            }

            if (Directory.Exists(at))
            {
                Probe(option, at);
                return;
            }
        }
    }

    private static void Probe(string option, string folder)
    {
        try
        {
            string probe = Path.Combine(folder, Path.GetRandomFileName());
            using FileStream file = new(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refused(
                option, $"'{folder}', where no file can be made", "a folder that this user may write to", "Check its rights, or choose another.");
        }
    }

    private static ProblemException Refused(string option, string got, string expected, string mend) =>
        new(new Problem(ProblemCode.InvalidArgument, $"--{option}", got, expected, mend));
}
