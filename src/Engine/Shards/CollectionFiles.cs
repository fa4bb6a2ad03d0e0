using System.Text.RegularExpressions;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>
/// The files of a collection's folder. A file's name carries the fingerprint of the build that wrote it, so a file that is there
/// is complete and of this build, or it is litter.
/// </summary>
internal static partial class CollectionFiles
{
    /// <summary>Whether <paramref name="name"/> may be a collection's.</summary>
    public static bool IsName(string? name) => name is not null && CollectionName().IsMatch(name);

    /// <summary>File name of a shard's segment.</summary>
    public static string Segment(int shard, ulong fingerprint) => $"shard-{shard:D4}-{fingerprint:x16}.segment";

    /// <summary>File name of the quantizer.</summary>
    public static string Quantizer(ulong fingerprint) => $"quantizer-{fingerprint:x16}.codebook";

    /// <summary>Whether a complete file was written by the build of <paramref name="fingerprint"/>.</summary>
    public static bool IsOf(string name, ulong fingerprint) =>
        name.Contains($"-{fingerprint:x16}.", StringComparison.Ordinal) && !name.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal);

    /// <summary>Whether the folder holds a finished collection, readable or not.</summary>
    public static bool HasManifest(IDisk disk, string folder) => disk.List(folder).Contains(CollectionManifest.FileName);

    /// <summary>Reads and verifies a quantizer file.</summary>
    /// <exception cref="BadFileException">Missing, cut, flipped or foreign.</exception>
    public static IQuantizer ReadQuantizer(IDisk disk, string path)
    {
        try
        {
            using IFileReader file = disk.OpenRead(path);
            byte[] bytes = new byte[file.Length];
            return QuantizerFile.Parse(bytes.AsSpan(0, file.Read(0, bytes)), path);
        }
        catch (FileNotFoundException)
        {
            throw new BadFileException(path, 0, "no file", "the quantizer of the collection");
        }
    }

    /// <summary>
    /// Removes the files of unfinished and replaced builds: those named as ours whose name <paramref name="keep"/> does not accept.
    /// What cannot be removed now (another process may have it open) is removed by a later build.
    /// </summary>
    public static void Sweep(IDisk disk, string folder, Func<string, bool> keep)
    {
        foreach (string name in disk.List(folder))
        {
            if (!Ours().IsMatch(name) || keep(name))
            {
                continue;
            }

            try
            {
                disk.Delete(Path.Combine(folder, name));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
            }
        }
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex CollectionName();

    // Segments and quantizers, and what an interrupted write of these or of a manifest leaves; nothing that a user may have put there.
    [GeneratedRegex(
        "^((shard-[0-9]{4}-[0-9a-f]{16}\\.segment|quantizer-[0-9a-f]{16}\\.codebook)|manifest\\.json(?=\\.))(\\.[0-9a-f]+-[0-9a-f]+\\.tmp)?\\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Ours();
}
