using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>
/// The files of a collection's folder. A file's name carries the fingerprint of the build or training that wrote it, so a file that is
/// there is complete and of this build or training, or it is litter.
/// </summary>
internal static partial class CollectionFiles
{
    /// <summary>Name of the file that the one writer of a folder holds.</summary>
    public const string LockName = "writer.lock";

    private const string SegmentEnding = ".segment";
    private const string CodesEnding = ".codes";
    private const string QuantizerEnding = ".codebook";

    /// <summary>Whether <paramref name="name"/> may be a collection's.</summary>
    public static bool IsName(string? name) => CollectionManifest.IsName(name);

    /// <summary>File name of a shard's segment.</summary>
    public static string Segment(int shard, ulong fingerprint) => $"shard-{shard:D4}-{fingerprint:x16}.segment";

    /// <summary>File name of the quantizer.</summary>
    public static string Quantizer(ulong fingerprint) => $"quantizer-{fingerprint:x16}.codebook";

    /// <summary>
    /// File name of the codes of a segment by a quantizer, from the names of both, which tell their content. It begins as that of the
    /// segment, with the number of the shard that it was made for.
    /// </summary>
    public static string Codes(string segment, string quantizer)
    {
        byte[] text = Encoding.UTF8.GetBytes($"{ShardEncoder.Version} {segment} {quantizer}");
        return $"{ShardOf(segment) ?? "shard-0000"}-{BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(text)):x16}.codes";
    }

    /// <summary>What the name of a segment, and those of its codes, begin with: the number of the shard that it was made for; null where it is none of them.</summary>
    public static string? ShardOf(string name) => Numbered().Match(name) is { Success: true } match ? match.Value : null;

    /// <summary>File name of what an unfinished training of the quantizer of this fingerprint goes on from.</summary>
    public static string Checkpoint(ulong fingerprint) => $"training-{fingerprint:x16}.checkpoint";

    /// <summary>
    /// The right to write in <paramref name="folder"/>, until it is disposed or the process ends. Refused while another build, training or change
    /// of shards has it: each would take the other's unfinished files for litter.
    /// </summary>
    public static Outcome<IDisposable> Lock(IDisk disk, string folder) => disk.TryLock(Path.Combine(folder, LockName)) is { } held
        ? new Outcome<IDisposable>(held, null)
        : new Problem(
            ProblemCode.Busy, "folder", $"{folder}, where another build, training or change of shards is at work", "one writer at a time",
            "Wait for its end, or stop it; then start the same command again.");

    /// <summary>Whether <paramref name="name"/> is that of a complete segment, codes file or quantizer.</summary>
    public static bool IsContent(string name) => Ours().IsMatch(name) && Path.GetExtension(name) is SegmentEnding or CodesEnding or QuantizerEnding;

    /// <summary>Reads all of the file <paramref name="path"/>, which is or is to become <paramref name="name"/>, and compares its checksums.</summary>
    /// <exception cref="BadFileException">Cut, flipped, foreign, or of no known kind.</exception>
    public static void Verify(IDisk disk, string path, string name, Work work)
    {
        switch (Path.GetExtension(name))
        {
            case SegmentEnding:
                Storage.Segment.Verify(disk, path, work);
                break;
            case CodesEnding:
                CodesFile.Verify(disk, path, work);
                break;
            case QuantizerEnding:
                PublishedQuantizer.Read(disk, Path.GetDirectoryName(path)!, Path.GetFileName(path));
                break;
            default:
                throw new BadFileException(path, 0, $"a file named {name}", $"{SegmentEnding}, {CodesEnding} or {QuantizerEnding}");
        }
    }

    /// <summary>Whether the folder holds a finished collection, readable or not.</summary>
    public static bool HasManifest(IDisk disk, string folder) => disk.List(folder).Contains(CollectionManifest.FileName);

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

    // Segments, codes, quantizers and checkpoints, and what an interrupted write of these, of a manifest or of the record of a training leaves; nothing that a user may have put there.
    [GeneratedRegex(
        "^((shard-[0-9]{4,10}-[0-9a-f]{16}\\.(segment|codes)|quantizer-[0-9a-f]{16}\\.codebook|training-[0-9a-f]{16}\\.checkpoint)|(manifest|training)\\.json(?=\\.))(\\.[0-9a-f]+-[0-9a-f]+\\.tmp)?\\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Ours();

    [GeneratedRegex("^shard-[0-9]{4,10}", RegexOptions.CultureInvariant)]
    private static partial Regex Numbered();
}
