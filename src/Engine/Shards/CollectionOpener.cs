using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>What an open collection is made of.</summary>
internal sealed record CollectionParts(CollectionPlace Place, CollectionState State);

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
                Outcome<CollectionParts> opened = OpenAs(read.Value!, new CollectionPlace(disk, folder, options, new SearchScratchPool()), work);
                if (opened.Problem is { } problem)
                {
                    if (!HasChanged())
                    {
                        return problem;
                    }
                }
                else if (!options.OpenShards || opened.Value!.State.Shards.All(shard => shard.IsOpen) || !HasChanged())
                {
                    return opened;
                }
                else
                {
                    Close(opened.Value.State.Shards, opened.Value.Place);
                }
            }
            catch (BadFileException) when (HasChanged())
            {
                // What was missing was removed by whoever changed the manifest.
            }
        }
    }

    private static Outcome<CollectionParts> OpenAs(CollectionManifest manifest, CollectionPlace place, Work work)
    {
        var shards = new List<CollectionShard>();
        try
        {
            ManifestQuantizer[] quantizers = manifest.Quantizer is null ? [] : [manifest.Quantizer];
            long need = place.Options.OpenShards ? manifest.Shards.DistinctBy(entry => entry.Segment).Sum(entry => place.NeedOf(entry, quantizers)) : 0;
            if (place.CheckMemory(manifest.Name, need) is { } problem)
            {
                throw new ProblemException(problem);
            }

            CollectionCodes? codes = place.ReadCodes(manifest);
            foreach (ManifestShard entry in manifest.Shards)
            {
                CollectionShard? same = shards.Find(shard => shard.Entry.Segment == entry.Segment);
                shards.Add(!place.Options.OpenShards ? CollectionState.Closed(entry)
                    : same is not null ? same with { Entry = entry }
                    : OpenShard(place, manifest, entry, codes, work));
            }

            return new CollectionParts(place, new CollectionState(manifest, codes, null, [.. shards], [.. manifest.Replaced.Select(CollectionState.Closed)]));
        }
        catch (Exception e)
        {
            Close(shards, place);
            if (e is ProblemException refused)
            {
                return refused.Problem;
            }

            throw;
        }
    }

    private static void Close(IEnumerable<CollectionShard> shards, CollectionPlace place)
    {
        foreach (CollectionShard shard in shards)
        {
            shard.Shard?.Dispose();
        }

        place.Scratch.Dispose();
    }

    private static CollectionShard OpenShard(CollectionPlace place, CollectionManifest manifest, ManifestShard entry, CollectionCodes? codes, Work work)
    {
        Shard? shard = null;
        try
        {
            Outcome<Shard> opened = place.OpenSegment(manifest, entry, work);
            if (opened.Problem is { } problem)
            {
                return place.Options.RequireAll ? throw new ProblemException(problem) : new CollectionShard(entry, null, problem.ToString());
            }

            shard = opened.Value!;
            if (codes is not null)
            {
                shard.OpenCodes(place.Disk, place.Folder, entry.Codes!, codes.Quantizer, work);
            }

            return new CollectionShard(entry, shard, null);
        }
        catch (Exception e)
        {
            shard?.Dispose();
            if (e is BadFileException && !place.Options.RequireAll)
            {
                return new CollectionShard(entry, null, e.Message);
            }

            throw;
        }
    }
}
