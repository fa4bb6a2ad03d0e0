using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Shards;

/// <summary>What a change of the shards did.</summary>
/// <param name="Manifest">The collection as it is now.</param>
/// <param name="Replaced">Shards that went; none where there was nothing to do.</param>
/// <param name="Added">Shards that came.</param>
/// <param name="Cost">What this run took; files that an interrupted run left were paid there.</param>
public sealed record LayoutResult(CollectionManifest Manifest, IReadOnlyList<ManifestShard> Replaced, IReadOnlyList<ManifestShard> Added, BuildCost Cost);

/// <summary>Changes which shards a collection has, while it is searched.</summary>
/// <remarks>
/// What a shard's number stands for, a segment and slots, never changes, so a change is: write the segments and codes of new numbers, then
/// replace the manifest. Until that moment the old layout is whole; from it on the new one is. The manifest goes on naming the shards that
/// were replaced, so their files stay for processes that still search them (see <see cref="Forget"/>). Whoever serves the collection finds
/// the new manifest, opens the new shards beside the old ones, and then sends queries to them, all at once.
///
/// Stopped at any point and run again with the same change, it takes over the files that are whole, by their names, which tell their content.
/// One writer per folder, by a lock of the operating system. In a store that is no folder several may be at work; the manifest is replaced only if it is
/// the one that the change began with (<see cref="ManifestCommit"/>), so one of them succeeds and the others have worked for nothing.
/// </remarks>
public sealed class LayoutJob
{
    private readonly IDisk _disk;
    private readonly string _folder;
    private readonly CollectionManifest _old;
    private readonly LayoutChange _change;
    private readonly GraphOptions _graph;
    private readonly Work _work;

    private LayoutJob(IDisk disk, string folder, CollectionManifest old, LayoutChange change, Work work)
    {
        (_disk, _folder, _old, _change, _work) = (disk, folder, old, change, work);
        _graph = new GraphOptions { R = old.R, L = old.Build.L, C = old.Build.C, Seed = old.Build.Seed };
    }

    /// <summary>Changes the collection of <paramref name="folder"/>.</summary>
    /// <param name="disk">Where.</param>
    /// <param name="folder">Its folder; for a store that is none, a cache's, with the files of the shards that go.</param>
    /// <param name="choose">What to change of the manifest that it has now; null: nothing.</param>
    /// <param name="memoryLimit">Bytes that building a segment may use; a change that would need more is refused before it begins.</param>
    /// <param name="store">Gets the new files and the manifest where the collection is not served from the folder; null where it is.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    /// <returns>What was done; or, with nothing changed, why not.</returns>
    /// <exception cref="BadFileException">A file of the shards that go is damaged.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; what is finished will be taken over by the next run.</exception>
    public static Outcome<LayoutResult> Run(
        IDisk disk, string folder, Func<CollectionManifest, Outcome<LayoutChange?>> choose, long memoryLimit, ISegmentStore? store, Work work) =>
        UnderLock<LayoutResult>(disk, folder, old =>
        {
            var clock = new CostClock();
            Outcome<LayoutChange?> chosen = choose(old);
            if (chosen.Problem is { } problem)
            {
                return problem;
            }

            if (chosen.Value is not { } change)
            {
                return new LayoutResult(old, [], [], clock.Read());
            }

            var job = new LayoutJob(disk, folder, old, change, work);
            ManifestShard[] added = job.Plan();
            if (job.WhyTooLarge(added, memoryLimit) is { } tooLarge)
            {
                return tooLarge;
            }

            job.Build(added);
            work.Cancel.ThrowIfCancellationRequested();
            CollectionManifest next = job.Next(added);
            return Commit(disk, folder, store, old, next, work) is { } overtaken ? overtaken : new LayoutResult(next, change.Replaced, added, clock.Read());
        });

    /// <summary>
    /// Forgets the shards of former layouts and removes their files: to be called when nobody searches them any more. A process that has
    /// them open keeps them; one that would open them cannot.
    /// </summary>
    /// <param name="disk">Where.</param>
    /// <param name="folder">The collection's folder, or a cache's.</param>
    /// <param name="store">The store where the collection is; null where it is in the folder.</param>
    /// <param name="work">Cancellation.</param>
    /// <returns>The manifest as it is now; or why nothing was done.</returns>
    public static Outcome<CollectionManifest> Forget(IDisk disk, string folder, ISegmentStore? store, Work work) => UnderLock<CollectionManifest>(disk, folder, old =>
    {
        CollectionManifest next = old.Layout is null ? old : old with { Layout = old.Layout with { Replaced = [] } };
        if (old.Replaced.Count > 0 && Commit(disk, folder, store, old, next, work) is { } overtaken)
        {
            return overtaken;
        }

        if (old.Replaced.Count == 0 && store is null)
        {
            // Killed after it had forgotten them, a run before may have left the files. What a training has left is its own.
            HashSet<string?> shards = [null, .. old.Files.Select(CollectionFiles.ShardOf)];
            CollectionFiles.Sweep(disk, folder, name => shards.Contains(CollectionFiles.ShardOf(name)));
        }

        foreach (string file in store is null ? [] : old.Files.Except(next.Files))
        {
            store!.Delete(Path.GetFileName(folder), file, work.Cancel);
        }

        return next;
    });

    private static Outcome<T> UnderLock<T>(IDisk disk, string folder, Func<CollectionManifest, Outcome<T>> run)
    {
        if (!CollectionFiles.HasManifest(disk, folder))
        {
            return ManifestFile.Open(disk, folder).Problem!; // before a lock file is made in a folder that is none of ours
        }

        Outcome<IDisposable> locked = CollectionFiles.Lock(disk, folder);
        using IDisposable? held = locked.Value;
        return (locked.Problem ?? ManifestFile.Open(disk, folder).Problem) is { } problem ? problem : run(ManifestFile.Open(disk, folder).Value!);
    }

    /// <summary>Makes <paramref name="next"/> the manifest, and removes what it does not name; or says why not.</summary>
    private static Problem? Commit(IDisk disk, string folder, ISegmentStore? store, CollectionManifest old, CollectionManifest next, Work work)
    {
        if (store is not null)
        {
            return CollectionPublisher.PublishChange(disk, folder, store, Path.GetFileName(folder), old, next, work);
        }

        if (ManifestCommit.InFolder(disk, folder, old, next, work.Cancel) is { } overtaken)
        {
            return overtaken;
        }

        HashSet<string> used = [.. next.Files];
        CollectionFiles.Sweep(disk, folder, used.Contains);
        return null;
    }

    /// <summary>The shards that come, with their files' names.</summary>
    private ManifestShard[] Plan()
    {
        int number = _old.AllShards.Max(shard => shard.Id) + 1; // the newest number is always that of a present shard, or was forgotten after it
        Dictionary<string, long[]> perSlot = _change.Replaced.Select(shard => shard.Segment).Distinct().ToDictionary(segment => segment, CountPerSlot);
        var added = new List<ManifestShard>();
        foreach (SlotRange range in _change.Ranges)
        {
            ManifestShard[] sources = SourcesOf(range);
            long count = sources.Sum(source => perSlot[source.Segment][Math.Max(range.From, source.SlotFrom)..Math.Min(range.To, source.SlotTo)].Sum());
            bool isPart = !_change.OwnSegments && sources.All(source => source.Segment == sources[0].Segment);
            added.Add(isPart ? PartOf(sources[0], number++, range, count) : OwnOf(sources, number++, range, count));
        }

        Check.That(added.Sum(shard => shard.Count) == _change.Replaced.Sum(shard => shard.Count), "a segment has vectors of slots that are not its shard's");
        return [.. added];
    }

    private ManifestShard[] SourcesOf(SlotRange range) => [.. _change.Replaced.Where(source => source.SlotFrom < range.To && range.From < source.SlotTo)];

    private static ManifestShard PartOf(ManifestShard source, int number, SlotRange range, long count)
    {
        bool isWhole = source.Stored.SlotFrom == range.From && source.Stored.SlotTo == range.To;
        return new ManifestShard(number, range.From, range.To, source.Segment, count, source.Codes, isWhole ? null : source.Stored);
    }

    private ManifestShard OwnOf(ManifestShard[] sources, int number, SlotRange range, long count)
    {
        string segment = CollectionFiles.Segment(number, BuildPlan.Fingerprint(sources.Select(source => source.Segment), range, _graph));
        string? codes = _old.Quantizer is null ? null : CollectionFiles.Codes(segment, _old.Quantizer.File);
        return new ManifestShard(number, range.From, range.To, segment, count, codes);
    }

    private unsafe long[] CountPerSlot(string segment)
    {
        using AlignedBuffer ids = Segment.LoadIds(_disk, Path.Combine(_folder, segment), _work);
        var perSlot = new long[Slots.Count];
        foreach (ulong id in new ReadOnlySpan<ulong>(ids.Pointer, (int)(ids.Length / sizeof(ulong))))
        {
            perSlot[Slots.Of(id)]++;
        }

        return perSlot;
    }

    private Problem? WhyTooLarge(ManifestShard[] added, long memoryLimit)
    {
        long rowBytes = (long)_old.Dim * _old.Type.Bytes();
        long need = added.Where(IsNew).Select(shard => BuildPlan.PeakBytes(rowBytes, _graph, shard.Count)).DefaultIfEmpty(0).Max();
        return need <= memoryLimit
            ? null
            : new Problem(
                ProblemCode.NotEnoughMemory, "building segments", $"need {need} bytes, have {memoryLimit}", "shards that fit", "Give it more memory, or split first.");
    }

    private bool IsNew(ManifestShard shard) => !_change.Replaced.Any(source => source.Segment == shard.Segment);

    private void Build(ManifestShard[] added)
    {
        PublishedQuantizer? quantizer = null;
        foreach (ManifestShard shard in added.Where(IsNew))
        {
            Work work = _work.Under($"shard {shard.Id}");
            using Segment segment = SegmentFile.Find(_disk, _folder, _old, shard, new SegmentLoad(), work) ?? Merge(shard, work);
            if (shard.Codes is not null)
            {
                quantizer ??= PublishedQuantizer.Read(_disk, _folder, _old.Quantizer!.File);
                ShardCodes.LoadOrMake(_disk, Path.Combine(_folder, shard.Codes), segment, quantizer, work).Dispose();
            }
        }
    }

    private Segment Merge(ManifestShard shard, Work work)
    {
        var sources = new List<Segment>();
        try
        {
            foreach (ManifestShard source in SourcesOf(new SlotRange(shard.SlotFrom, shard.SlotTo)).DistinctBy(source => source.Segment))
            {
                string path = Path.Combine(_folder, source.Segment);
                sources.Add(Segment.Open(_disk, path, new SegmentLoad(), work).OrThrow());
                _old.MustMatch(source, path, sources[^1].Info);
            }

            return SegmentMerge.Make(_disk, _folder, _old, shard, sources, _graph, work);
        }
        finally
        {
            sources.ForEach(source => source.Dispose());
        }
    }

    private CollectionManifest Next(ManifestShard[] added)
    {
        ManifestShard[] shards = [.. _old.Shards.Except(_change.Replaced).Concat(added).OrderBy(shard => shard.SlotFrom)];
        return _old with
        {
            Shards = shards,
            Layout = new ManifestLayout(_old.Lineage, (_old.Layout?.Changes ?? 0) + 1, [.. _old.Replaced, .. _change.Replaced]),
        };
    }
}
