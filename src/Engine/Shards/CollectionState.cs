using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>The codes that a manifest names, and the one object of their quantizer that all shards share.</summary>
internal sealed record CollectionCodes(CollectionManifest Manifest, PublishedQuantizer Quantizer)
{
    /// <summary>Number of the training that made them.</summary>
    public uint Version => Quantizer.Entry.Info.Version;

    /// <summary>Name of the file of a shard's codes.</summary>
    public string FileOf(int shard) => Manifest.Shards.First(entry => entry.Id == shard).Codes!;
}

/// <summary>What a collection has open. Immutable, so that a search finds its shard without a lock.</summary>
/// <param name="manifest">The manifest in use.</param>
/// <param name="inUse">Its codes; null where it names none.</param>
/// <param name="coming">Codes that were opened to be used next; null where there are none.</param>
/// <param name="shards">In the order of their slots.</param>
internal sealed class CollectionState(CollectionManifest manifest, CollectionCodes? inUse, CollectionCodes? coming, CollectionShard[] shards)
{
    private readonly Dictionary<int, CollectionShard> _byNumber = shards.ToDictionary(shard => shard.Entry.Id);

    public CollectionManifest Manifest => manifest;

    public CollectionCodes? InUse => inUse;

    public CollectionCodes? Coming => coming;

    public CollectionShard[] Shards => shards;

    /// <summary>The shards that can be searched.</summary>
    public IEnumerable<Shard> Open => shards.Select(shard => shard.Shard).OfType<Shard>();

    /// <summary>What a shard that is opened now must have.</summary>
    public IEnumerable<CollectionCodes> Codes => new[] { inUse, coming }.OfType<CollectionCodes>().DistinctBy(codes => codes.Quantizer.File);

    /// <summary>Bytes of what is open, summed.</summary>
    public SegmentMemory Memory => Open.Aggregate(default(SegmentMemory), (sum, shard) => sum + shard.Memory);

    /// <summary>The shard of a number; null where there is none.</summary>
    public CollectionShard? Find(int number) => _byNumber.GetValueOrDefault(number);

    /// <summary>Whether a shard that has the codes of <paramref name="other"/> has those of this.</summary>
    public bool HasCodesOf(CollectionState other) => ReferenceEquals(inUse, other.InUse) && ReferenceEquals(coming, other.Coming);

    /// <summary>The same with <paramref name="shard"/> in the place of that of its number.</summary>
    public CollectionState With(CollectionShard shard) =>
        new(manifest, inUse, coming, [.. shards.Select(old => old.Entry.Id == shard.Entry.Id ? shard : old)]);

    /// <summary>The same with other codes to be used next.</summary>
    public CollectionState WithComing(CollectionCodes? codes) => new(manifest, inUse, codes, shards);

    /// <summary>The same after <paramref name="next"/>, whose codes are <paramref name="codes"/>, took over.</summary>
    public CollectionState After(CollectionManifest next, CollectionCodes? codes) =>
        new(next, codes, null, [.. shards.Zip(next.Shards, (shard, entry) => shard with { Entry = entry })]);
}
