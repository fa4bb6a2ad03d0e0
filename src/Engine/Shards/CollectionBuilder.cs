using System.Diagnostics;
using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Graphs;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Shards;

/// <summary>
/// Builds a collection: checks the vectors, deals them to shards by slot, trains one quantizer, then shard by shard gathers rows,
/// builds the graph, encodes, writes the segment and frees all of it; the manifest comes last and makes the collection.
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
    /// that is not to be replaced, bad vectors (the first), too little memory.</returns>
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

        var clock = new BuildClock();
        Outcome<ulong> content = input.Inspect(options.Metric, work);
        if (content.Problem is not null)
        {
            return content.Problem;
        }

        SlotRange[] ranges = Slots.Split(options.Shards);
        long[] counts = input.CountPerShard(ranges, work);
        ulong fingerprint = BuildPlan.Fingerprint(input.Vectors, content.Value, options);
        return BuildPlan.CheckSize(input.Vectors, options, counts.Max()) is { } tooLarge
            ? tooLarge
            : new CollectionBuilder(disk, folder, input, options, fingerprint, work).Run(ranges, counts, clock);
    }

    private CollectionManifest Run(SlotRange[] ranges, long[] counts, BuildClock clock)
    {
        _disk.CreateFolder(_folder);
        if (!CollectionFiles.HasManifest(_disk, _folder))
        {
            CollectionFiles.Sweep(_disk, _folder, name => CollectionFiles.IsOf(name, _fingerprint));
        }

        IQuantizer? quantizer = Quantizer();
        CollectionManifest manifest = ManifestOf(ranges, counts, quantizer);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < ranges.Length; i++)
        {
            ManifestShard shard = manifest.Shards[i];
            if (!IsFinished(manifest, shard))
            {
                BuildShard(manifest, shard, quantizer, ranges.Length == 1 ? _work : _work.Under($"shard {i + 1}/{ranges.Length}"));
            }

            _work.Report(new PhaseProgress("building shards", i + 1, ranges.Length, Stopwatch.GetElapsedTime(start)));
        }

        _work.Cancel.ThrowIfCancellationRequested();
        manifest = manifest with { Cost = clock.Read() };
        Problem? fault = ManifestFile.Save(_disk, _folder, manifest);
        Check.That(fault is null, $"manifest: {fault}");
        HashSet<string> used = [.. manifest.Shards.Select(s => s.Segment), manifest.Quantizer?.File ?? ""];
        CollectionFiles.Sweep(_disk, _folder, used.Contains);
        return manifest;
    }

    private IQuantizer? Quantizer()
    {
        if (_options.Quantizer is not { } kind)
        {
            return null;
        }

        string name = CollectionFiles.Quantizer(_fingerprint);
        string path = Path.Combine(_folder, name);
        if (_disk.List(_folder).Contains(name))
        {
            try
            {
                return CollectionFiles.ReadQuantizer(_disk, path);
            }
            catch (BadFileException)
            {
                // Training is deterministic: codes that are written already are those of the quantizer made anew.
            }
        }

        IQuantizer quantizer = QuantizerTrainer.Train(kind, Vectors, _options.Metric, _options.Codes, _work);
        byte[] bytes = QuantizerFile.Serialize(quantizer);
        AtomicFile.Write(_disk, path, bytes.Length, file => file.Write(0, bytes));
        return quantizer;
    }

    private CollectionManifest ManifestOf(SlotRange[] ranges, long[] counts, IQuantizer? quantizer)
    {
        var shards = new ManifestShard[ranges.Length];
        for (int i = 0; i < shards.Length; i++)
        {
            shards[i] = new ManifestShard(i, ranges[i].From, ranges[i].To, CollectionFiles.Segment(i, _fingerprint), counts[i]);
        }

        GraphOptions graph = _options.Graph;
        return new CollectionManifest(
            _options.Name, Vectors.Dim, Vectors.Type, _options.Metric, graph.R, Vectors.Count,
            quantizer is null ? null : new ManifestQuantizer(CollectionFiles.Quantizer(_fingerprint), CodesInfo.Of(quantizer)),
            shards, new BuildInfo(graph.Seed, graph.L, graph.C, BuildInfo.RunningVersion));
    }

    private bool IsFinished(CollectionManifest manifest, ManifestShard shard)
    {
        try
        {
            string path = Path.Combine(_folder, shard.Segment);
            Outcome<Segment> opened = Segment.Open(_disk, path, new SegmentLoad(), _work);
            using Segment? segment = opened.Value;
            if (segment is null)
            {
                return false;
            }

            manifest.MustMatch(shard, path, segment.Info);
            return true;
        }
        catch (BadFileException)
        {
            return false;
        }
    }

    private void BuildShard(CollectionManifest manifest, ManifestShard shard, IQuantizer? quantizer, Work work)
    {
        (long[] rows, ulong[] ids) = _input.RowsOf(new SlotRange(shard.SlotFrom, shard.SlotTo), shard.Count);
        using VectorBlock vectors = Gather(rows, work);
        using Graph graph = GraphBuilder.Build(vectors, manifest.Metric, _options.Graph, work);
        using AlignedBuffer? codes = quantizer is null || rows.Length == 0 ? null : Encode(vectors, quantizer, work);
        var content = new SegmentContent
        {
            Vectors = vectors,
            Ids = ids,
            Metric = manifest.Metric,
            Graph = graph,
            Codes = codes is null ? null : codes.Pointer,
            CodesInfo = manifest.Quantizer?.Info,
            SlotFrom = shard.SlotFrom,
            SlotTo = shard.SlotTo,
            Build = manifest.Build,
        };
        SegmentWriter.Write(_disk, Path.Combine(_folder, shard.Segment), content, work);
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

    private AlignedBuffer Encode(VectorBlock vectors, IQuantizer quantizer, Work work)
    {
        var codes = new AlignedBuffer(vectors.Count * quantizer.CodeBytes);
        try
        {
            work.For("encoding", vectors.Count, RowsPerChunk, (from, to, _) =>
                quantizer.Encode(vectors, from, (int)(to - from), codes.Pointer + (from * quantizer.CodeBytes)));
            return codes;
        }
        catch
        {
            codes.Dispose();
            throw;
        }
    }

    /// <summary>What has been spent since it was made.</summary>
    private sealed class BuildClock
    {
        private readonly long _start = Stopwatch.GetTimestamp();
        private readonly TimeSpan _cpu = Environment.CpuUsage.TotalTime;

        public BuildCost Read() =>
            new(Stopwatch.GetElapsedTime(_start).TotalSeconds, (Environment.CpuUsage.TotalTime - _cpu).TotalSeconds);
    }
}
