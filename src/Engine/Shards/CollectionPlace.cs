using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>Where a collection is and how its parts are opened.</summary>
internal sealed record CollectionPlace(IDisk Disk, string Folder, CollectionOptions Options, SearchScratchPool Scratch)
{
    /// <summary>Path of a file of the collection.</summary>
    public string PathOf(string file) => Path.Combine(Folder, file);

    /// <summary>Bytes that a shard would keep resident with the codes of <paramref name="codes"/>, by the header of its segment.</summary>
    public long NeedOf(ManifestShard entry, IEnumerable<ManifestQuantizer> codes)
    {
        try
        {
            Outcome<SegmentMemory> plan = Segment.Plan(Disk, PathOf(entry.Segment), Options.Vectors);
            return plan.Ok ? plan.Value.Resident + (entry.Stored.Count * codes.Sum(quantizer => (long)quantizer.Info.CodeBytes)) : 0;
        }
        catch (BadFileException)
        {
            return 0; // it takes no memory; opening it tells what is wrong
        }
    }

    /// <summary>Why <paramref name="need"/> bytes are too many; null when they are not.</summary>
    public Problem? CheckMemory(string collection, long need, string? mend = null) => need <= Options.MemoryLimit
        ? null
        : new Problem(
            ProblemCode.NotEnoughMemory, $"collection {collection}", $"need {need} bytes, have {Options.MemoryLimit}", "a collection that fits",
            mend ?? (Options.Vectors == Residency.Loaded ? "Map the vectors instead of loading them, or give it more memory." : "Give it more memory."));

    /// <summary>Reads the quantizer that <paramref name="manifest"/> names; null where it names none.</summary>
    /// <exception cref="BadFileException">Missing, damaged, or not the one that the manifest means.</exception>
    public CollectionCodes? ReadCodes(CollectionManifest manifest)
    {
        if (manifest.Quantizer is not { } expected)
        {
            return null;
        }

        var codes = new CollectionCodes(manifest, PublishedQuantizer.Read(Disk, Folder, expected.File));
        MustFit(codes.Quantizer, manifest);
        MustBe(codes.Quantizer, expected);
        return codes;
    }

    /// <summary>Opens and verifies the segment of a shard. Refused: a missing file.</summary>
    public Outcome<Shard> OpenSegment(CollectionManifest manifest, ManifestShard entry, Work work)
    {
        var load = new SegmentLoad { Vectors = Options.Vectors, VerifyVectors = Options.Verify };
        return Shard.Open(Disk, Folder, manifest, entry, load, Scratch, work);
    }

    /// <summary>Throws <see cref="BadFileException"/> unless <paramref name="quantizer"/> is for the vectors of <paramref name="manifest"/>.</summary>
    public void MustFit(PublishedQuantizer quantizer, CollectionManifest manifest)
    {
        if (quantizer.Quantizer.Dim != manifest.Dim || quantizer.Quantizer.Metric != manifest.Metric)
        {
            throw new BadFileException(
                PathOf(quantizer.File), 0, $"dim {quantizer.Quantizer.Dim}, {quantizer.Quantizer.Metric}",
                $"dim {manifest.Dim}, {manifest.Metric}, as the manifest says");
        }
    }

    /// <summary>Throws <see cref="BadFileException"/> unless <paramref name="quantizer"/> is the one that a manifest means.</summary>
    public void MustBe(PublishedQuantizer quantizer, ManifestQuantizer expected)
    {
        if (quantizer.Entry != expected)
        {
            throw new BadFileException(PathOf(expected.File), 0, $"{quantizer.Entry.Info}", $"{expected.Info}, as the manifest says");
        }
    }
}
