using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>What an open collection is made of.</summary>
internal sealed record CollectionParts(CollectionManifest Manifest, IQuantizer? Quantizer, CollectionShard[] Shards, SearchScratchPool Scratch);

/// <summary>Opens what a manifest names, all of it or, where that is allowed, what can be opened.</summary>
internal static class CollectionOpener
{
    /// <summary>A manifest that changes more often than this while it is opened changes for ever.</summary>
    private const int MostAttempts = 5;

    /// <summary>Opens the collection of <paramref name="folder"/>.</summary>
    /// <remarks>A training that ends meanwhile replaces the manifest and removes files that the old one names: then it is opened anew.</remarks>
    public static Outcome<CollectionParts> Open(IDisk disk, string folder, CollectionOptions options, Work work)
    {
        for (int attempt = 1; ; attempt++)
        {
            Outcome<CollectionManifest> read = ManifestFile.Open(disk, folder);
            if (read.Problem is not null)
            {
                return read.Problem;
            }

            bool HasChanged() => attempt < MostAttempts && ManifestFile.Open(disk, folder).Value is { } now && !now.IsSame(read.Value!);
            try
            {
                Outcome<CollectionParts> opened = OpenAs(read.Value!, disk, folder, options, work);
                if (opened.Problem is { } problem)
                {
                    if (!HasChanged())
                    {
                        return problem;
                    }
                }
                else if (opened.Value!.Shards.All(shard => shard.Shard is not null) || !HasChanged())
                {
                    return opened;
                }
                else
                {
                    Close(opened.Value.Shards, opened.Value.Scratch);
                }
            }
            catch (BadFileException) when (HasChanged())
            {
                // What was missing was removed by whoever changed the manifest.
            }
        }
    }

    /// <summary>Throws <see cref="BadFileException"/> unless <paramref name="quantizer"/> is for the vectors of <paramref name="manifest"/>.</summary>
    public static void MustFit(PublishedQuantizer quantizer, string path, CollectionManifest manifest)
    {
        IQuantizer made = quantizer.Quantizer;
        if (made.Dim != manifest.Dim || made.Metric != manifest.Metric)
        {
            throw new BadFileException(path, 0, $"dim {made.Dim}, {made.Metric}", $"dim {manifest.Dim}, {manifest.Metric}, as the manifest says");
        }
    }

    /// <summary>Throws <see cref="BadFileException"/> unless <paramref name="quantizer"/> is the one that a manifest means.</summary>
    public static void MustBe(PublishedQuantizer quantizer, ManifestQuantizer expected, string folder)
    {
        if (quantizer.Entry != expected)
        {
            throw new BadFileException(Path.Combine(folder, expected.File), 0, $"{quantizer.Entry.Info}", $"{expected.Info}, as the manifest says");
        }
    }

    /// <summary>Why <paramref name="need"/> bytes are too many; null when they are not.</summary>
    public static Problem? CheckMemory(long need, long limit, string collection, string mend) => need <= limit
        ? null
        : new Problem(ProblemCode.NotEnoughMemory, $"collection {collection}", $"need {need} bytes, have {limit}", "a collection that fits", mend);

    private static Outcome<CollectionParts> OpenAs(CollectionManifest manifest, IDisk disk, string folder, CollectionOptions options, Work work)
    {
        string mend = options.Vectors == Residency.Loaded ? "Map the vectors instead of loading them, or give it more memory." : "Give it more memory.";
        if (CheckMemory(NeedOf(manifest, disk, folder, options), options.MemoryLimit, manifest.Name, mend) is { } problem)
        {
            return problem;
        }

        PublishedQuantizer? quantizer = manifest.Quantizer is null ? null : OpenQuantizer(disk, folder, manifest, manifest.Quantizer);
        var shards = new List<CollectionShard>();
        var scratch = new SearchScratchPool();
        try
        {
            foreach (ManifestShard entry in manifest.Shards)
            {
                shards.Add(OpenShard(disk, folder, manifest, entry, quantizer, options, scratch, work));
            }

            return new CollectionParts(manifest, quantizer?.Quantizer, [.. shards], scratch);
        }
        catch (Exception e)
        {
            Close(shards, scratch);
            if (e is ProblemException refused)
            {
                return refused.Problem;
            }

            throw;
        }
    }

    private static void Close(IEnumerable<CollectionShard> shards, SearchScratchPool scratch)
    {
        foreach (CollectionShard shard in shards)
        {
            shard.Shard?.Dispose();
        }

        scratch.Dispose();
    }

    private static long NeedOf(CollectionManifest manifest, IDisk disk, string folder, CollectionOptions options)
    {
        long need = 0;
        int codeBytes = manifest.Quantizer?.Info.CodeBytes ?? 0;
        foreach (ManifestShard entry in manifest.Shards)
        {
            try
            {
                Outcome<SegmentMemory> plan = Segment.Plan(disk, Path.Combine(folder, entry.Segment), options.Vectors);
                need += plan.Ok ? plan.Value.Resident + (entry.Count * codeBytes) : 0;
            }
            catch (BadFileException)
            {
                // It takes no memory; opening it tells what is wrong.
            }
        }

        return need;
    }

    private static PublishedQuantizer OpenQuantizer(IDisk disk, string folder, CollectionManifest manifest, ManifestQuantizer expected)
    {
        PublishedQuantizer quantizer = PublishedQuantizer.Read(disk, folder, expected.File);
        MustFit(quantizer, Path.Combine(folder, expected.File), manifest);
        MustBe(quantizer, expected, folder);
        return quantizer;
    }

    private static CollectionShard OpenShard(
        IDisk disk, string folder, CollectionManifest manifest, ManifestShard entry, PublishedQuantizer? quantizer, CollectionOptions options,
        SearchScratchPool scratch, Work work)
    {
        try
        {
            var load = new SegmentLoad { Vectors = options.Vectors, VerifyVectors = options.Verify };
            Outcome<Shard> opened = Shard.Open(disk, folder, manifest, entry, quantizer, load, scratch, work);
            return opened.Problem is null
                ? new CollectionShard(entry, opened.Value, null)
                : options.RequireAll ? throw new ProblemException(opened.Problem) : new CollectionShard(entry, null, opened.Problem.ToString());
        }
        catch (BadFileException e) when (!options.RequireAll)
        {
            return new CollectionShard(entry, null, e.Message);
        }
    }
}
