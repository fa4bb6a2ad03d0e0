using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>The codes that a manifest names, and the one object of their quantizer that all shards share.</summary>
internal sealed record CollectionCodes(CollectionManifest Manifest, PublishedQuantizer Quantizer)
{
    /// <summary>Number of the training that made them.</summary>
    public uint Version => Quantizer.Entry.Info.Version;

    /// <summary>Name of the file of a shard's codes; null where the manifest does not know the shard.</summary>
    public string? FileOf(int shard) => Manifest.AllShards.FirstOrDefault(entry => entry.Id == shard)?.Codes;
}

/// <summary>What a collection has open. Immutable, so that a search finds its shard without a lock.</summary>
/// <param name="manifest">The manifest in use.</param>
/// <param name="inUse">Its codes; null where it names none.</param>
/// <param name="coming">Codes that were opened to be used next; null where there are none.</param>
/// <param name="shards">Those of the manifest, in the order of their slots.</param>
/// <param name="others">Those of other layouts that are open or can be opened.</param>
internal sealed class CollectionState(
    CollectionManifest manifest, CollectionCodes? inUse, CollectionCodes? coming, CollectionShard[] shards, CollectionShard[] others)
{
    private const string NotHere = "it has not been opened here";

    private readonly Dictionary<int, CollectionShard> _byNumber = shards.Concat(others).ToDictionary(shard => shard.Entry.Id);

    public CollectionManifest Manifest => manifest;

    public CollectionCodes? InUse => inUse;

    public CollectionCodes? Coming => coming;

    public CollectionShard[] Shards => shards;

    /// <summary>The shards of the manifest and of other layouts.</summary>
    public IReadOnlyList<CollectionShard> All { get; } = others.Length == 0 ? shards : [.. shards, .. others];

    /// <summary>What can be searched, once where shards share it.</summary>
    public IEnumerable<Shard> Open => All.Select(shard => shard.Shard).OfType<Shard>().Distinct();

    /// <summary>What a shard that is opened now must have.</summary>
    public IEnumerable<CollectionCodes> Codes => new[] { inUse, coming }.OfType<CollectionCodes>().DistinctBy(codes => codes.Quantizer.File);

    /// <summary>Bytes of what is open, summed.</summary>
    public SegmentMemory Memory => Open.Aggregate(default(SegmentMemory), (sum, shard) => sum + shard.Memory);

    /// <summary>The shard of a number; null where there is none.</summary>
    public CollectionShard? Find(int number) => _byNumber.GetValueOrDefault(number);

    /// <summary>Whether a shard that has the codes of <paramref name="other"/> has those of this.</summary>
    public bool HasCodesOf(CollectionState other) => ReferenceEquals(inUse, other.InUse) && ReferenceEquals(coming, other.Coming);

    /// <summary>What is open of a segment; null where nothing is.</summary>
    public Shard? OpenOf(string segment) => All.FirstOrDefault(shard => shard.IsOpen && shard.Entry.Segment == segment)?.Shard;

    /// <summary>The same with <paramref name="shard"/> in the place of that of its number.</summary>
    public CollectionState With(CollectionShard shard)
    {
        return new(manifest, inUse, coming, Replace(shards), Replace(others));

        CollectionShard[] Replace(CollectionShard[] all) => [.. all.Select(old => old.Entry.Id == shard.Entry.Id ? shard : old)];
    }

    /// <summary>The same with other codes to be used next.</summary>
    public CollectionState WithComing(CollectionCodes? codes) => new(manifest, inUse, codes, shards, others);

    /// <summary>The same with the shards that only <paramref name="next"/> names among the others.</summary>
    public CollectionState Knowing(CollectionManifest next) => new(
        manifest, inUse, coming, shards, [.. others, .. next.AllShards.Where(entry => Find(entry.Id) is null).Select(Closed)]);

    /// <summary>The same after <paramref name="next"/>, whose codes are <paramref name="codes"/>, took over.</summary>
    public CollectionState After(CollectionManifest next, CollectionCodes? codes)
    {
        HashSet<int> present = [.. next.Shards.Select(entry => entry.Id)];
        HashSet<int> former = [.. next.Replaced.Select(entry => entry.Id)];
        return new CollectionState(
            next, codes, null, [.. next.Shards.Select(Known)],
            [.. next.Replaced.Select(Known), .. All.Where(s => s.IsOpen && !present.Contains(s.Entry.Id) && !former.Contains(s.Entry.Id))]);
    }

    /// <summary>A shard that is not open.</summary>
    public static CollectionShard Closed(ManifestShard entry) => new(entry, null, NotHere);

    private CollectionShard Known(ManifestShard entry) => Find(entry.Id) is { } known ? known with { Entry = entry } : Closed(entry);
}
