using System.Diagnostics;
using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Shards;

/// <summary>
/// Builds a collection: checks the vectors, deals them to shards by slot, trains one quantizer, then shard by shard gathers rows,
/// builds the graph, writes the segment, frees all of it, and encodes from the segment; the manifest comes last and makes the collection.
/// </summary>
/// <remarks>
/// An interrupted build (cancelled, killed, out of power) leaves whole files of some shards and no manifest. Run again with the same
/// vectors and options it keeps these and goes on; with others it removes them. Nothing else in the folder is touched.
/// </remarks>
public sealed unsafe class CollectionBuilder
{
    private const int RowsPerChunk = 1024;

    private readonly IDisk _disk;
    private readonly string _folder;
    private readonly BuildInput _input;
    private readonly BuildOptions _options;
    private readonly Work _work;
    private readonly ulong _fingerprint;

    private CollectionBuilder(IDisk disk, string folder, BuildInput input, BuildOptions options, ulong fingerprint, Work work)
    {
        _disk = disk;
        _folder = folder;
        _input = input;
        _options = options;
        _fingerprint = fingerprint;
        _work = work;
    }

    private VectorBlock Vectors => _input.Vectors;

    /// <summary>Builds a collection in <paramref name="folder"/>, which is created where it is missing.</summary>
    /// <returns>The manifest; or, with nothing written, why the input was refused: bad options (all of them), a finished collection
    /// that is not to be replaced, bad vectors (the first), too little memory, another writer in the folder.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; what is finished will be kept by the next run.</exception>
    public static Outcome<CollectionManifest> Build(IDisk disk, string folder, BuildInput input, BuildOptions options, Work work)
    {
        if (Problem.Join(options.Validate(input.Vectors.Dim)) is { } problem)
        {
            return problem;
        }

        if (!options.Overwrite && CollectionFiles.HasManifest(disk, folder))
        {
            return new Problem(
                ProblemCode.AlreadyExists, "collection", folder, "a folder without a collection", "Choose another folder, or ask to overwrite.");
        }

        var clock = new CostClock();
        Outcome<ulong> content = input.Inspect(options.Metric, work);
        if (content.Problem is not null)
        {
            return content.Problem;
        }

        SlotRange[] ranges = Slots.Split(options.Shards);
        long[] counts = input.CountPerShard(ranges, work);
        ulong fingerprint = BuildPlan.Fingerprint(input.Vectors, content.Value, options);
        if (BuildPlan.CheckSize(input.Vectors, options, counts.Max()) is { } tooLarge)
        {
            return tooLarge;
        }

        disk.CreateFolder(folder);
        Outcome<IDisposable> locked = CollectionFiles.Lock(disk, folder);
        using IDisposable? held = locked.Value;
        return locked.Problem is null
            ? new CollectionBuilder(disk, folder, input, options, fingerprint, work).Run(ranges, counts, clock)
            : locked.Problem;
    }

    private CollectionManifest Run(SlotRange[] ranges, long[] counts, CostClock clock)
    {
        string? quantizerFile = _options.Quantizer is null ? null : CollectionFiles.Quantizer(_fingerprint);
        ManifestShard[] shards = [.. ranges.Select((range, i) => ShardOf(i, range, counts[i], quantizerFile))];
        if (!CollectionFiles.HasManifest(_disk, _folder))
        {
            HashSet<string> ours = [.. shards.Select(s => s.Segment), .. shards.Select(s => s.Codes ?? ""), quantizerFile ?? ""];
            CollectionFiles.Sweep(_disk, _folder, ours.Contains);
        }

        PublishedQuantizer? quantizer = quantizerFile is null ? null : Quantizer(_options.Quantizer!.Value, quantizerFile);
        GraphOptions graph = _options.Graph;
        var manifest = new CollectionManifest(
            _options.Name, Vectors.Dim, Vectors.Type, _options.Metric, graph.R, Vectors.Count, quantizer?.Entry, shards,
            new BuildInfo(graph.Seed, graph.L, graph.C, BuildInfo.RunningVersion));
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < shards.Length; i++)
        {
            Finish(manifest, shards[i], quantizer, shards.Length == 1 ? _work : _work.Under($"shard {i + 1}/{shards.Length}"));
            _work.Report(new PhaseProgress("building shards", i + 1, shards.Length, Stopwatch.GetElapsedTime(start)));
        }

        _work.Cancel.ThrowIfCancellationRequested();
        manifest = manifest with { Cost = clock.Read() };
        Problem? fault = ManifestFile.Save(_disk, _folder, manifest);
        Check.That(fault is null, $"manifest: {fault}");
        HashSet<string> used = [.. manifest.Files];
        CollectionFiles.Sweep(_disk, _folder, used.Contains);
        return manifest;
    }

    private ManifestShard ShardOf(int number, SlotRange range, long count, string? quantizer)
    {
        string segment = CollectionFiles.Segment(number, _fingerprint);
        string? codes = quantizer is null ? null : CollectionFiles.Codes(segment, quantizer);
        return new ManifestShard(number, range.From, range.To, segment, count, codes);
    }

    private PublishedQuantizer Quantizer(QuantizerKind kind, string file)
    {
        // Training is deterministic: codes that are written already are those of the quantizer made anew.
        return PublishedQuantizer.Find(_disk, _folder, file)
            ?? PublishedQuantizer.Publish(_disk, _folder, file, QuantizerTrainer.Train(kind, Vectors, _options.Metric, _options.Codes, _work));
    }

    /// <summary>Makes of a shard's files what is not there and whole.</summary>
    private void Finish(CollectionManifest manifest, ManifestShard shard, PublishedQuantizer? quantizer, Work work)
    {
        using Segment segment = SegmentFile.Find(_disk, _folder, manifest, shard, new SegmentLoad(), work) ?? BuildSegment(manifest, shard, work);
        if (quantizer is not null)
        {
            ShardCodes.LoadOrMake(_disk, Path.Combine(_folder, shard.Codes!), segment, quantizer, work).Dispose();
        }
    }

    private Segment BuildSegment(CollectionManifest manifest, ManifestShard shard, Work work)
    {
        (long[] rows, ulong[] ids) = _input.RowsOf(new SlotRange(shard.SlotFrom, shard.SlotTo), shard.Count);
        using VectorBlock vectors = Gather(rows, work);
        return SegmentFile.Make(_disk, _folder, manifest, shard, vectors, ids, _options.Graph, work);
    }

    private VectorBlock Gather(long[] rows, Work work)
    {
        VectorBlock gathered = VectorBlock.Allocate(rows.Length, Vectors.Dim, Vectors.Type);
        try
        {
            work.For("gathering vectors", rows.Length, RowsPerChunk, (from, to, _) =>
            {
                for (long i = from; i < to; i++)
                {
                    Vectors.RowSpan(rows[i]).CopyTo(new Span<byte>(gathered.Row(i), gathered.RowBytes));
                }
            });
            return gathered;
        }
        catch
        {
            gathered.Dispose();
            throw;
        }
    }
}
