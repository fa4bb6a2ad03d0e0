using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
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
/// <param name="Count">Vectors of the shard.</param>
/// <param name="Codes">Name of the file with the codes of the segment, made by the collection's quantizer; null where there is none.</param>
/// <param name="Whole">What the segment has in all, where that is more than the shard; null where the segment is the shard's own.</param>
public sealed record ManifestShard(
    int Id, int SlotFrom, int SlotTo, string Segment, long Count, string? Codes = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] SegmentExtent? Whole = null)
{
    /// <summary>What the segment has in all, the shard's own or more.</summary>
    [JsonIgnore]
    public SegmentExtent Stored => Whole ?? new SegmentExtent(SlotFrom, SlotTo, Count);
}

/// <summary>The slots and vectors of a segment of which a shard has a part.</summary>
/// <param name="SlotFrom">First slot.</param>
/// <param name="SlotTo">The slot after the last.</param>
/// <param name="Count">Vectors of the segment.</param>
public sealed record SegmentExtent(int SlotFrom, int SlotTo, long Count);

/// <summary>How the shards of a collection became other ones than it was built with.</summary>
/// <param name="Lineage">What the collection was built as: the same before and after every change of its shards.</param>
/// <param name="Changes">How often its shards were changed, at least 1.</param>
/// <param name="Replaced">Shards of former layouts: processes that have not turned to the present ones may still open them, so their files stay.</param>
public sealed record ManifestLayout(string Lineage, int Changes, IReadOnlyList<ManifestShard> Replaced);

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
/// <param name="Layout">How its shards changed since; null where they are those that it was built with.</param>
public sealed partial record CollectionManifest(
    string Name, int Dim, ElementType Type, Metric Metric, int R, long Count, ManifestQuantizer? Quantizer, IReadOnlyList<ManifestShard> Shards,
    BuildInfo Build, BuildCost? Cost = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ManifestLayout? Layout = null)
{
    /// <summary>Name of the manifest in the collection's folder.</summary>
    public const string FileName = "manifest.json";

    /// <summary>Whether <paramref name="name"/> may be that of a collection or of one of its files: it never leads out of a folder.</summary>
    public static bool IsName(string? name) => name is not null && NamePattern().IsMatch(name);

    /// <summary>Number of the training that made the codes; 0 where there are none.</summary>
    [JsonIgnore]
    public uint CodesVersion => Quantizer?.Info.Version ?? 0;

    /// <summary>The shards of former layouts whose files stay.</summary>
    [JsonIgnore]
    public IReadOnlyList<ManifestShard> Replaced => Layout?.Replaced ?? [];

    /// <summary>Every shard that the manifest names. What a number stands for never changes, and none is used again.</summary>
    [JsonIgnore]
    public IEnumerable<ManifestShard> AllShards => Shards.Concat(Replaced);

    /// <summary>What tells a collection from one that was built anew under its name: equal for all layouts and codes of the same vectors.</summary>
    [JsonIgnore]
    public string Lineage => Layout?.Lineage ?? LineageOfBuild();

    /// <summary>Every file that the manifest names, in the collection's folder, once.</summary>
    [JsonIgnore]
    public IEnumerable<string> Files => AllShards.Select(s => s.Segment).Concat(AllShards.Select(s => s.Codes).OfType<string>())
        .Concat(Quantizer is null ? [] : [Quantizer.File]).Distinct();

    /// <summary>Whether <paramref name="other"/> says the same.</summary>
    public bool IsSame(CollectionManifest other) =>
        this with { Shards = other.Shards, Layout = other.Layout } == other && Shards.SequenceEqual(other.Shards)
            && Layout?.Lineage == other.Layout?.Lineage && Layout?.Changes == other.Layout?.Changes && Replaced.SequenceEqual(other.Replaced);

    /// <summary>Whether <paramref name="other"/> is the same collection, but for codes and cost: the same vectors, graphs and slots.</summary>
    public bool IsSameButCodes(CollectionManifest other) => Bare(this).IsSame(Bare(other));

    /// <summary>Memory that the segment of a shard takes when it is open with its codes: what placing it needs to know, from no file.</summary>
    public SegmentMemory MemoryOf(ManifestShard shard, Residency vectors)
    {
        (int from, int to, long count) = shard.Stored;
        var segment = new SegmentInfo(count, Dim, Type, Metric, R, 0, from, to, Build);
        return SegmentMemory.Of(segment, vectors) with { Codes = count * (Quantizer?.Info.CodeBytes ?? 0) };
    }

    /// <summary>Why what takes every shard for a segment of its own cannot be done; null where each shard has one.</summary>
    public Problem? WhyNotWhole(string what) => Shards.FirstOrDefault(shard => shard.Whole is not null) is not { } part
        ? null
        : new Problem(
            ProblemCode.NotSupported, what, $"shard {part.Id} of {Name}, which has a part of {part.Segment}", "shards with segments of their own",
            "Compact the collection first: signpost compact.");

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

        if (AllShards.Any(shard => shard is null))
        {
            return Wrong("shards", "null", "shards");
        }

        return WrongFile() ?? WrongShards() ?? WrongLayout();
    }

    /// <summary>Throws <see cref="BadFileException"/> unless the segment is the one that <paramref name="shard"/> names.</summary>
    public void MustMatch(ManifestShard shard, string segmentPath, SegmentInfo segment)
    {
        (int from, int to, long count) = shard.Stored;
        SegmentInfo expected = segment with { Count = count, Dim = Dim, Type = Type, Metric = Metric, R = R, SlotFrom = from, SlotTo = to };
        if (segment != expected)
        {
            throw new BadFileException(segmentPath, FileHeader.Bytes, $"{segment}", $"{expected}, as the manifest says");
        }
    }

    private static CollectionManifest Bare(CollectionManifest manifest) =>
        manifest with { Quantizer = null, Cost = null, Layout = null, Shards = [.. manifest.Shards.Select(shard => shard with { Codes = null })] };

    private static Problem Wrong(string what, string got, string expected) => new(
        ProblemCode.InvalidArgument, $"manifest: {what}", got, expected, "Build the collection again, or restore the manifest from a copy.");

    // No separator can occur, so a name never leaves the folder.
    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();

    /// <summary>From what it was built as: the names of segments tell their content.</summary>
    private string LineageOfBuild()
    {
        string shards = string.Join(' ', Shards.Select(s => $"{s.Id}:{s.SlotFrom}:{s.SlotTo}:{s.Segment}:{s.Count}"));
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{Dim} {Type} {Metric} {R} {Count} {shards}"));
        return $"{BinaryPrimitives.ReadUInt64BigEndian(hash):x16}";
    }

    private Problem? WrongFile()
    {
        // File systems may ignore case. What has a name has it for one use: shards may share a segment, then its codes too.
        var uses = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { [FileName] = "manifest" };
        IEnumerable<(string File, string Use)> files = AllShards.Select(s => (s.Segment, $"segment {s.Segment} {s.Stored} {s.Codes}"))
            .Concat(AllShards.Where(s => s.Codes is not null).Select(s => (s.Codes!, $"codes of {s.Segment}")))
            .Concat(Quantizer is null ? [] : [(Quantizer.File, "quantizer")]);
        foreach ((string file, string use) in files)
        {
            bool isTaken = file is not null && !uses.TryAdd(file, use) && uses[file] != use;
            if (isTaken || !IsName(file) || file!.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal))
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
        foreach (ManifestShard shard in Shards)
        {
            if (shard.SlotFrom != next || shard.SlotTo <= next || shard.SlotTo > SegmentInfo.SlotCount)
            {
                return Wrong(
                    $"shard {shard.Id}", $"slots {shard.SlotFrom} to {shard.SlotTo}", $"a range that starts at {next} and ends by {SegmentInfo.SlotCount}");
            }

            next = shard.SlotTo;
            count += shard.Count;
        }

        if (next != SegmentInfo.SlotCount)
        {
            return Wrong("shards", $"slots 0 to {next}", $"0 to {SegmentInfo.SlotCount}");
        }

        var ids = new HashSet<int>();
        return AllShards.Select(shard => ids.Add(shard.Id) ? WrongShard(shard) : Wrong($"shard {shard.Id}", "its number twice", "a number of its own"))
            .FirstOrDefault(problem => problem is not null) ?? (count == Count ? null : Wrong("count", $"{Count}", $"{count}, the sum of the shards"));
    }

    private Problem? WrongShard(ManifestShard shard)
    {
        string name = $"shard {shard.Id}";
        if (shard.Id < 0 || shard.Count is < 0 or > uint.MaxValue)
        {
            return Wrong(name, $"{shard.Count} vectors", "a number of at least 0, and 0 to 2^32 - 1 vectors");
        }

        if ((shard.Codes is null) != (Quantizer is null))
        {
            return Wrong(name, shard.Codes is null ? "no codes" : "codes", Quantizer is null ? "none, as there is no quantizer" : "codes of the quantizer");
        }

        (int from, int to, long count) = shard.Stored;
        bool isPart = from >= 0 && from <= shard.SlotFrom && shard.SlotFrom < shard.SlotTo && shard.SlotTo <= to && to <= SegmentInfo.SlotCount
            && shard.Count <= count && count <= uint.MaxValue;
        return isPart && (shard.Whole is null || shard.SlotTo - shard.SlotFrom < to - from)
            ? null
            : Wrong(name, $"slots {shard.SlotFrom} to {shard.SlotTo} of a segment of {from} to {to}", "a part of the segment, or all of it without saying so");
    }

    private Problem? WrongLayout() => Layout switch
    {
        null when Shards.Any(shard => shard.Whole is not null) => Wrong("layout", "none", "one, since shards have parts of segments"),
        not null when Layout.Changes < 1 || !IsName(Layout.Lineage) => Wrong("layout", $"'{Layout.Lineage}', {Layout.Changes} changes", "a lineage and at least 1 change"),
        _ => null,
    };
}
