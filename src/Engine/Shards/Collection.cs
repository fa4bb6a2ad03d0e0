using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>A shard of an open collection.</summary>
/// <param name="Entry">What the manifest says of it.</param>
/// <param name="Shard">The shard; null where it could not be opened.</param>
/// <param name="Reason">Why it could not be opened; null where it could.</param>
public sealed record CollectionShard(ManifestShard Entry, Shard? Shard, string? Reason)
{
    /// <summary>Slots that it owns.</summary>
    public SlotRange Slots => new(Entry.SlotFrom, Entry.SlotTo);
}

/// <summary>An open collection: its quantizer and its shards. Thread-safe.</summary>
public sealed class Collection : IDisposable
{
    private readonly SearchScratchPool _scratch;
    private readonly Dictionary<int, CollectionShard> _byNumber;

    private Collection(CollectionManifest manifest, IQuantizer? quantizer, CollectionShard[] shards, SearchScratchPool scratch)
    {
        Manifest = manifest;
        Quantizer = quantizer;
        Shards = shards;
        _byNumber = shards.ToDictionary(shard => shard.Entry.Id);
        _scratch = scratch;
        Shard[] open = [.. shards.Where(s => s.Shard is not null).Select(s => s.Shard!)];
        Info = new CollectionInfo(
            manifest.Name, manifest.Dim, manifest.Type, manifest.Metric, manifest.R, manifest.Quantizer?.Info,
            shards.Length, open.Length, manifest.Count,
            open.Aggregate(default(SegmentMemory), (sum, shard) => Sum(sum, shard.Memory)));
    }

    /// <summary>What the collection consists of.</summary>
    public CollectionManifest Manifest { get; }

    /// <summary>The quantizer of all shards; null where there are no codes.</summary>
    public IQuantizer? Quantizer { get; }

    /// <summary>The shards in the order of their slots, those that could not be opened among them.</summary>
    public IReadOnlyList<CollectionShard> Shards { get; }

    /// <summary>What the collection is and takes.</summary>
    public CollectionInfo Info { get; }

    /// <summary>
    /// Opens the collection of <paramref name="folder"/>. Refused: a folder without one; memory that does not suffice, before
    /// anything is loaded. A shard that is damaged or missing is left out, with the reason, unless all are required.
    /// </summary>
    /// <exception cref="BadFileException">The manifest or the quantizer is damaged; or a shard, where all are required.</exception>
    public static Outcome<Collection> Open(IDisk disk, string folder, CollectionOptions options, Work work)
    {
        Outcome<CollectionManifest> read = ManifestFile.Open(disk, folder);
        if (read.Problem is not null)
        {
            return read.Problem;
        }

        CollectionManifest manifest = read.Value!;
        if (CheckMemory(disk, folder, manifest, options) is { } problem)
        {
            return problem;
        }

        IQuantizer? quantizer = OpenQuantizer(disk, folder, manifest);
        var shards = new List<CollectionShard>();
        var scratch = new SearchScratchPool();
        try
        {
            foreach (ManifestShard entry in manifest.Shards)
            {
                shards.Add(OpenShard(disk, folder, manifest, entry, quantizer, options, scratch, work));
            }

            return new Collection(manifest, quantizer, [.. shards], scratch);
        }
        catch (Exception e)
        {
            shards.ForEach(shard => shard.Shard?.Dispose());
            scratch.Dispose();
            if (e is ProblemException refused)
            {
                return refused.Problem;
            }

            throw;
        }
    }

    /// <summary>A query for the vectors of this collection, to be bound and used again and again.</summary>
    public Query NewQuery() => new(Manifest.Dim, Manifest.Type, Manifest.Metric);

    /// <summary>The shard of a number in the manifest, if it is open.</summary>
    /// <exception cref="IOException">There is no such shard, or it could not be opened.</exception>
    public Shard ShardOf(int number) =>
        _byNumber.TryGetValue(number, out CollectionShard? shard)
            ? shard.Shard ?? throw new IOException(shard.Reason)
            : throw new IOException($"collection {Manifest.Name} has no shard {number}");

    /// <summary>Closes all shards; searches that run end well.</summary>
    public void Dispose()
    {
        foreach (CollectionShard shard in Shards)
        {
            shard.Shard?.Dispose();
        }

        _scratch.Dispose();
    }

    private static Problem? CheckMemory(IDisk disk, string folder, CollectionManifest manifest, CollectionOptions options)
    {
        long need = 0;
        foreach (ManifestShard entry in manifest.Shards)
        {
            try
            {
                need += Segment.Plan(disk, Path.Combine(folder, entry.Segment), options.Vectors).Value.Resident;
            }
            catch (BadFileException)
            {
                // It takes no memory; opening it tells what is wrong.
            }
        }

        return need <= options.MemoryLimit
            ? null
            : new Problem(
                ProblemCode.NotEnoughMemory, $"collection {manifest.Name}", $"need {need} bytes, have {options.MemoryLimit}",
                "a collection that fits",
                options.Vectors == Residency.Loaded
                    ? "Map the vectors instead of loading them, or give it more memory."
                    : "Give it more memory.");
    }

    private static IQuantizer? OpenQuantizer(IDisk disk, string folder, CollectionManifest manifest)
    {
        if (manifest.Quantizer is not { } expected)
        {
            return null;
        }

        string path = Path.Combine(folder, expected.File);
        IQuantizer quantizer = CollectionFiles.ReadQuantizer(disk, path);
        return CodesInfo.Of(quantizer) == expected.Info && quantizer.Dim == manifest.Dim && quantizer.Metric == manifest.Metric
            ? quantizer
            : throw new BadFileException(path, 0, $"{CodesInfo.Of(quantizer)}", $"{expected.Info}, as the manifest says");
    }

    private static CollectionShard OpenShard(
        IDisk disk, string folder, CollectionManifest manifest, ManifestShard entry, IQuantizer? quantizer, CollectionOptions options,
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

    private static SegmentMemory Sum(SegmentMemory a, SegmentMemory b) => new(
        a.Count + b.Count, a.Graph + b.Graph, a.Codes + b.Codes, a.Ids + b.Ids, a.VectorsLoaded + b.VectorsLoaded, a.VectorsMapped + b.VectorsMapped);
}
