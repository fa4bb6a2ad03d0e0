using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Storage;

/// <summary>The quantizer file of a collection and what it holds.</summary>
/// <param name="File">Name in the collection's folder.</param>
/// <param name="Info">Kind, M, K, version; equal to those of every codes file.</param>
public sealed record ManifestQuantizer(string File, CodesInfo Info);

/// <summary>One shard of a collection.</summary>
/// <param name="Id">Number of the shard, unique in the collection, at least 0.</param>
/// <param name="SlotFrom">First slot.</param>
/// <param name="SlotTo">The slot after the last.</param>
/// <param name="Segment">Name of the segment file in the collection's folder.</param>
/// <param name="Count">Vectors of the segment.</param>
/// <param name="Codes">Name of the file with its codes, made by the collection's quantizer; null where there is none.</param>
public sealed record ManifestShard(int Id, int SlotFrom, int SlotTo, string Segment, long Count, string? Codes = null);

/// <summary>What the run that completed a build took. Shards that it found finished, left by an interrupted run, took their time there.</summary>
/// <param name="Seconds">By the clock, at least 0.</param>
/// <param name="CpuSeconds">Processor time of the whole process, at least 0.</param>
public sealed record BuildCost(double Seconds, double CpuSeconds);

/// <summary>
/// What a collection consists of: the one file that says which other files count. Whoever changes a collection writes new files
/// first and then replaces the manifest, which is the moment of the change.
/// </summary>
/// <param name="Name">Name of the collection: 1 to 128 of letters, digits, '.', '_', '-', the first a letter or digit.</param>
/// <param name="Dim">Components of a vector.</param>
/// <param name="Type">Type of a component.</param>
/// <param name="Metric">Metric.</param>
/// <param name="R">Most out-neighbours of a vertex.</param>
/// <param name="Count">Vectors of all shards.</param>
/// <param name="Quantizer">The quantizer that the codes of every shard were made with; null where there are no codes.</param>
/// <param name="Shards">The shards in the order of their slots, which cover [0, 16,384) exactly once.</param>
/// <param name="Build">How the graphs were built.</param>
/// <param name="Cost">What building took; null where nobody measured.</param>
public sealed partial record CollectionManifest(
    string Name, int Dim, ElementType Type, Metric Metric, int R, long Count, ManifestQuantizer? Quantizer, IReadOnlyList<ManifestShard> Shards,
    BuildInfo Build, BuildCost? Cost = null)
{
    /// <summary>Name of the manifest in the collection's folder.</summary>
    public const string FileName = "manifest.json";

    /// <summary>Whether <paramref name="name"/> may be that of a collection or of one of its files: it never leads out of a folder.</summary>
    public static bool IsName(string? name) => name is not null && NamePattern().IsMatch(name);

    /// <summary>Number of the training that made the codes; 0 where there are none.</summary>
    [JsonIgnore]
    public uint CodesVersion => Quantizer?.Info.Version ?? 0;

    /// <summary>Every file that the manifest names, in the collection's folder.</summary>
    [JsonIgnore]
    public IEnumerable<string> Files => Shards.Select(s => s.Segment).Concat(Shards.Select(s => s.Codes).OfType<string>())
        .Concat(Quantizer is null ? [] : [Quantizer.File]);

    /// <summary>Whether <paramref name="other"/> says the same.</summary>
    public bool IsSame(CollectionManifest other) => this with { Shards = other.Shards } == other && Shards.SequenceEqual(other.Shards);

    /// <summary>Whether <paramref name="other"/> is the same collection, but for codes and cost: the same vectors, graphs and slots.</summary>
    public bool IsSameButCodes(CollectionManifest other) => Bare(this).IsSame(Bare(other));

    /// <summary>Memory that a shard of this manifest takes when it is open with its codes: what placing it needs to know, from no file.</summary>
    public SegmentMemory MemoryOf(ManifestShard shard, Residency vectors)
    {
        var segment = new SegmentInfo(shard.Count, Dim, Type, Metric, R, 0, shard.SlotFrom, shard.SlotTo, Build);
        return SegmentMemory.Of(segment, vectors) with { Codes = shard.Count * (Quantizer?.Info.CodeBytes ?? 0) };
    }

    /// <summary>The first thing that is wrong with the content; null for a valid manifest.</summary>
    public Problem? Validate()
    {
        if (!NamePattern().IsMatch(Name))
        {
            return Wrong("name", $"'{Name}'", "1 to 128 of A-Z a-z 0-9 . _ -, the first a letter or digit");
        }

        if (Dim < 1 || R < 1 || !Enum.IsDefined(Type) || !Enum.IsDefined(Metric))
        {
            return Wrong("shape", $"dim {Dim}, R {R}, type {Type}, metric {Metric}", "dim and R of at least 1, a known type and metric");
        }

        if (Quantizer?.Info is { } info && !(Enum.IsDefined(info.Kind) && info.M >= 1 && info.M <= Dim && info.K is (16 or 256) && info.Version >= 1))
        {
            return Wrong("quantizer", $"{info}", $"a known kind, M of 1 to {Dim}, K of 16 or 256, a version of at least 1");
        }

        if (Cost is { } cost && !(cost.Seconds >= 0 && cost.CpuSeconds >= 0))
        {
            return Wrong("cost", $"{cost}", "seconds of at least 0");
        }

        if (Shards.Any(shard => shard is null))
        {
            return Wrong("shards", "null", "shards");
        }

        return WrongFile() ?? WrongShards();
    }

    /// <summary>Throws <see cref="BadFileException"/> unless the segment is the one that <paramref name="shard"/> names.</summary>
    public void MustMatch(ManifestShard shard, string segmentPath, SegmentInfo segment)
    {
        SegmentInfo expected = segment with
        {
            Count = shard.Count,
            Dim = Dim,
            Type = Type,
            Metric = Metric,
            R = R,
            SlotFrom = shard.SlotFrom,
            SlotTo = shard.SlotTo,
        };
        if (segment != expected)
        {
            throw new BadFileException(segmentPath, FileHeader.Bytes, $"{segment}", $"{expected}, as the manifest says");
        }
    }

    private static CollectionManifest Bare(CollectionManifest manifest) =>
        manifest with { Quantizer = null, Cost = null, Shards = [.. manifest.Shards.Select(shard => shard with { Codes = null })] };

    private static Problem Wrong(string what, string got, string expected) => new(
        ProblemCode.InvalidArgument, $"manifest: {what}", got, expected, "Build the collection again, or restore the manifest from a copy.");

    // No separator can occur, so a name never leaves the folder.
    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();

    private Problem? WrongFile()
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { FileName }; // file systems may ignore case
        foreach (string file in Files)
        {
            if (!NamePattern().IsMatch(file) || file.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal) || !seen.Add(file))
            {
                return Wrong("file name", $"'{file}'", $"a name in the folder, used once, of A-Z a-z 0-9 . _ -, not ending in {AtomicFile.TemporarySuffix}");
            }
        }

        return null;
    }

    private Problem? WrongShards()
    {
        int next = 0;
        long count = 0;
        var ids = new HashSet<int>();
        foreach (ManifestShard shard in Shards)
        {
            if (shard.SlotFrom != next || shard.SlotTo <= next || shard.SlotTo > SegmentInfo.SlotCount)
            {
                return Wrong(
                    $"shard {shard.Id}", $"slots {shard.SlotFrom} to {shard.SlotTo}", $"a range that starts at {next} and ends by {SegmentInfo.SlotCount}");
            }

            if (shard.Id < 0 || !ids.Add(shard.Id) || shard.Count is < 0 or > uint.MaxValue)
            {
                return Wrong($"shard {shard.Id}", $"{shard.Count} vectors", "a number of its own, at least 0, and 0 to 2^32 - 1 vectors");
            }

            if ((shard.Codes is null) != (Quantizer is null))
            {
                return Wrong(
                    $"shard {shard.Id}", shard.Codes is null ? "no codes" : "codes", Quantizer is null ? "none, as there is no quantizer" : "codes of the quantizer");
            }

            next = shard.SlotTo;
            count += shard.Count;
        }

        if (next != SegmentInfo.SlotCount)
        {
            return Wrong("shards", $"slots 0 to {next}", $"0 to {SegmentInfo.SlotCount}");
        }

        return count == Count ? null : Wrong("count", $"{Count}", $"{count}, the sum of the shards");
    }
}
