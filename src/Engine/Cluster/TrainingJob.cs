using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Cluster;

/// <summary>What a training did.</summary>
/// <param name="Manifest">The collection as it is now.</param>
/// <param name="Error">Mean squared error of the nearest codewords over the training sample (<see cref="QuantizerError"/>).</param>
/// <param name="Sampled">Vectors of that sample.</param>
/// <param name="WasDone">True where the codes in use were made by the same training already, so nothing was to do.</param>
/// <param name="Cost">What this run took; files that an interrupted run left were paid there.</param>
/// <param name="Rpq">How RPQ was learned; null for other kinds, and where the quantizer was there already.</param>
public sealed record TrainingResult(
    CollectionManifest Manifest, double Error, long Sampled, bool WasDone, BuildCost Cost, RpqSummary? Rpq = null);

/// <summary>Gives a collection new codes while it is searched: learns a quantizer, has every shard encode, and turns all of it over at once.</summary>
/// <remarks>
/// The order of the steps makes it safe at every moment. (1) The quantizer is published under a name that tells what it was learned
/// from. (2) Every shard writes and opens codes by it, beside those in use. Until here nothing that the manifest names has changed,
/// so whoever opens the collection, after a crash too, finds the old codes whole. (3) The manifest is replaced: from now on whoever
/// opens the collection finds the new codes, all of which are there. (4) The next shard map makes queries use them; a query has one
/// map, hence one version, in all shards. (5) Old codes leave the memory; a query that still wants them is told so and begins again.
/// (6) Files that the manifest does not name are removed.
///
/// Stopped at any point and run again with the same method, it takes over the quantizer and the codes that are complete, by their names,
/// and goes on; a method that saves checkpoints goes on from its last. One writer per folder, by a lock of the operating system, which ends with the process however that ends.
/// </remarks>
public sealed class TrainingJob
{
    private const int TrainerVersion = 3; // part of the fingerprint: to be raised when the same method and vectors give another quantizer

    private readonly ITrainingPlace _place;
    private readonly IShardClient _client;
    private readonly QuantizerMethod _method;
    private readonly Action<TrainingPoint> _learned;
    private readonly Work _work;

    private TrainingJob(ITrainingPlace place, IShardClient client, QuantizerMethod method, Action<TrainingPoint> learned, Work work) =>
        (_place, _client, _method, _learned, _work) = (place, client, method, learned, work);

    /// <summary>Trains the collection of <paramref name="folder"/>, whose shards are asked through <paramref name="client"/>.</summary>
    /// <returns>What was done; or, with nothing changed, why not: a folder without a collection, another writer in it, bad settings, a shard
    /// that does not serve, too little memory.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; what is finished will be taken over by the next run.</exception>
    public static async Task<Outcome<TrainingResult>> RunAsync(
        IDisk disk, string folder, IClusterState state, IShardClient client, QuantizerMethod method, Work work)
    {
        if (!CollectionFiles.HasManifest(disk, folder))
        {
            return ManifestFile.Open(disk, folder).Problem!; // before a lock file is made in a folder that is none of ours
        }

        Outcome<IDisposable> locked = CollectionFiles.Lock(disk, folder);
        using IDisposable? held = locked.Value;
        return locked.Problem is null
            ? await RunAsync(new FolderTraining(disk, folder, state), client, method, _ => { }, work).ConfigureAwait(false)
            : locked.Problem;
    }

    /// <summary>Trains the collection of <paramref name="place"/>, where nobody else does.</summary>
    /// <param name="place">Where the collection is.</param>
    /// <param name="client">Asks its shards.</param>
    /// <param name="method">How the quantizer is learned.</param>
    /// <param name="learned">Told how learning goes.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    internal static async Task<Outcome<TrainingResult>> RunAsync(
        ITrainingPlace place, IShardClient client, QuantizerMethod method, Action<TrainingPoint> learned, Work work) =>
        await new TrainingJob(place, client, method, learned, work).RunAsync().ConfigureAwait(false);

    private async Task<Outcome<TrainingResult>> RunAsync()
    {
        var clock = new CostClock();
        Outcome<CollectionManifest> read = _place.Read();
        if ((read.Problem ?? Problem.Join(_method.Validate(read.Value!.Dim, read.Value.Metric))) is { } problem)
        {
            return problem;
        }

        CollectionManifest old = read.Value!;
        ShardMap? map = await _place.MapAsync(old, _work.Cancel).ConfigureAwait(false);
        if ((WhyNot(old, _place.Name) ?? WhyNot(old, map)) is { } reason)
        {
            return reason;
        }

        bool isDone = old.Quantizer?.File == CollectionFiles.Quantizer(FingerprintOf(old, old.CodesVersion));
        uint version = isDone ? old.CodesVersion : checked(old.CodesVersion + 1);
        ulong fingerprint = FingerprintOf(old, version);
        string file = CollectionFiles.Quantizer(fingerprint), checkpoint = CollectionFiles.Checkpoint(fingerprint);
        CollectionManifest planned = old with { Shards = [.. old.Shards.Select(s => s with { Codes = CollectionFiles.Codes(s.Segment, file) })] };
        if (!isDone)
        {
            _place.Keep(new HashSet<string>([.. old.Files, .. planned.Shards.Select(s => s.Codes!), file, checkpoint])); // not what other trainings left unfinished
        }

        _place.Begin(TrainingStep.Learning, version);
        using VectorBlock sample = await SampleAsync(map!).ConfigureAwait(false);
        (PublishedQuantizer quantizer, RpqSummary? rpq) = await QuantizerAsync(old, map!, sample, version, fingerprint).ConfigureAwait(false);
        CollectionManifest next = isDone ? old : planned with { Quantizer = quantizer.Entry };
        if (await TurnOverAsync(old, next, map!).ConfigureAwait(false) is { } refused)
        {
            return refused;
        }

        _place.Begin(TrainingStep.Cleaning, version);
        _place.Keep(new HashSet<string>(next.Files));
        double error = QuantizerError.MeanSquared(quantizer.Quantizer, sample, _work);
        return new TrainingResult(next, error, sample.Count, isDone, clock.Read(), rpq);
    }

    /// <summary>Prepares every shard, commits, lets queries turn and the old codes go; where <paramref name="old"/> is <paramref name="next"/> queries turn alone.</summary>
    private async Task<Problem?> TurnOverAsync(CollectionManifest old, CollectionManifest next, ShardMap map)
    {
        bool isCommitted = ReferenceEquals(old, next), wasCommitted = isCommitted;
        try
        {
            if (!isCommitted && await PrepareAsync(next, map).ConfigureAwait(false) is { } problem)
            {
                return problem;
            }

            if (!isCommitted)
            {
                _work.Cancel.ThrowIfCancellationRequested();
                _place.Begin(TrainingStep.Committing, next.CodesVersion);
                if (_place.Commit(old, next) is { } overtaken)
                {
                    return overtaken;
                }

                isCommitted = true;
            }

            _place.Begin(TrainingStep.Turning, next.CodesVersion);
            await _place.TurnAsync(next, _work.Cancel).ConfigureAwait(false);
            return null;
        }
        finally
        {
            if (!wasCommitted && _place.MayDrop(isCommitted))
            {
                await DropAsync(map, isCommitted ? old.CodesVersion : next.CodesVersion).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Has one copy of every shard encode, then the others open what it made.</summary>
    private async Task<Problem?> PrepareAsync(CollectionManifest next, ShardMap map)
    {
        _place.Begin(TrainingStep.Encoding, next.CodesVersion);
        Problem? problem = await PrepareAsync("encoding shards", next, map, shard => shard.Serving.Take(1), mayBeLost: false).ConfigureAwait(false);
        if (problem is not null || map.Shards.All(shard => shard.Serving.Count() == 1))
        {
            return problem;
        }

        // A copy that is lost meanwhile opens the codes when it comes back, as the manifest says; one that cannot have them is a reason to stop here.
        _place.Begin(TrainingStep.Opening, next.CodesVersion);
        return await PrepareAsync("opening other copies", next, map, shard => shard.Serving.Skip(1), mayBeLost: true).ConfigureAwait(false);
    }

    private async Task<Problem?> PrepareAsync(string phase, CollectionManifest next, ShardMap map, Func<ShardEntry, IEnumerable<ReplicaId>> copies, bool mayBeLost)
    {
        var calls = new List<(ManifestShard Shard, Task<Outcome<string>> Call)>();
        for (int i = 0; i < map.Shards.Length; i++)
        {
            Work work = map.Shards.Length == 1 ? _work : _work.Under($"shard {i + 1}/{map.Shards.Length}");
            foreach (ReplicaId replica in copies(map.Shards[i]))
            {
                calls.Add((next.Shards[i], AskAsync(replica, next.Quantizer!.File, work, mayBeLost)));
            }
        }

        long start = Stopwatch.GetTimestamp();
        await _place.WaitAsync(Task.WhenAll(calls.Select(c => c.Call))).ConfigureAwait(false);
        _work.Report(new PhaseProgress(phase, calls.Count, calls.Count, Stopwatch.GetElapsedTime(start)));
        foreach ((ManifestShard shard, Task<Outcome<string>> call) in calls)
        {
            Outcome<string> file = await call.ConfigureAwait(false);
            if (file.Problem is { } problem)
            {
                return problem;
            }

            if (file.Value is not null && file.Value != shard.Codes)
            {
                return BuiltAnew($"codes {file.Value} of shard {shard.Id}", shard.Codes!);
            }
        }

        return null;
    }

    /// <summary>The name of the codes' file; none where the copy <paramref name="mayBeLost"/> and is.</summary>
    private async Task<Outcome<string>> AskAsync(ReplicaId replica, string quantizerFile, Work work, bool mayBeLost)
    {
        try
        {
            return await _client.PrepareCodesAsync(replica, quantizerFile, work).ConfigureAwait(false);
        }
        catch (IOException e) when (mayBeLost && e is not BadFileException)
        {
            return default;
        }
    }

    private async Task DropAsync(ShardMap map, uint version)
    {
        foreach (ReplicaId replica in version == 0 ? [] : map.Shards.SelectMany(shard => shard.All))
        {
            try
            {
                await _client.DropCodesAsync(replica, version, CancellationToken.None).ConfigureAwait(false);
            }
            catch (IOException)
            {
                // A shard that cannot be reached has no codes to let go, or lets them go when it is opened anew.
            }
        }
    }

    /// <summary>Why the collection cannot be trained as it is, whoever serves it.</summary>
    internal static Problem? WhyNot(CollectionManifest manifest, string where)
    {
        if (manifest.WhyNotWhole("training") is { } parts)
        {
            return parts;
        }

        if (manifest.Replaced.Count > 0)
        {
            return new Problem(
                ProblemCode.Busy, "training", $"{manifest.Replaced.Count} shards of a former layout in {where}", "one layout",
                "When every server has turned to the new shards: signpost compact --sweep.");
        }

        return manifest.Count > 0
            ? null
            : new Problem(ProblemCode.InvalidArgument, "training vectors", "none", "at least one", "Add vectors before training.");
    }

    private Problem? WhyNot(CollectionManifest manifest, ShardMap? map)
    {
        if (map is null || !map.Shards.Select(s => s.Id.Number).SequenceEqual(manifest.Shards.Select(s => s.Id)))
        {
            return BuiltAnew(map is null ? "not served" : $"{map.Shards.Length} shards served", $"{manifest.Shards.Count} shards served");
        }

        string[] missing = [.. map.Shards.Where(shard => !shard.IsServing).Select(shard => $"{shard.Id}: {shard.WhyNotServing}")];
        return missing.Length == 0
            ? null
            : new Problem(
                ProblemCode.IncompleteCoverage, "training", string.Join("; ", missing), "every shard", "Mend the shards: codes of a version are of all or none.");
    }

    private Problem BuiltAnew(string got, string expected) => new(
        ProblemCode.NotFound, $"collection of {_place.Name}", got, expected, "It was built anew meanwhile: start the same command again.");

    private async Task<(PublishedQuantizer Quantizer, RpqSummary? Rpq)> QuantizerAsync(
        CollectionManifest old, ShardMap map, VectorBlock sample, uint version, ulong fingerprint)
    {
        string file = CollectionFiles.Quantizer(fingerprint);
        if (_place.Find(file) is { } found)
        {
            return (found, null);
        }

        var input = new TrainingInput
        {
            Manifest = old,
            Map = map,
            Client = _client,
            Sample = sample,
            Version = version,
            Identity = file,
            Checkpoints = _place.Checkpoint(CollectionFiles.Checkpoint(fingerprint)),
            Learned = _learned,
            Work = _work,
        };
        (IQuantizer trained, RpqSummary? rpq) = await _method.TrainAsync(input).ConfigureAwait(false);
        Check.That(trained.Version == version && trained.Kind == _method.Kind && trained.Dim == old.Dim && trained.Metric == old.Metric);
        _work.Cancel.ThrowIfCancellationRequested();
        return (_place.Publish(file, trained), rpq);
    }

    /// <summary>Of the quantizer that this method learns from these vectors as this version.</summary>
    private ulong FingerprintOf(CollectionManifest manifest, uint version)
    {
        string segments = string.Join(' ', manifest.Shards.Select(shard => shard.Segment)); // their names tell their content
        byte[] text = Encoding.UTF8.GetBytes($"{TrainerVersion} {BuildInfo.RunningVersion} {segments} {version} {_method.Fingerprint}");
        return BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(text));
    }

    /// <summary>Vectors of every shard, as many of each as is its part of all.</summary>
    private async Task<VectorBlock> SampleAsync(ShardMap map)
    {
        long wanted = Math.Min(_method.SampleSize, map.Vectors);
        var parts = new List<VectorBlock>();
        try
        {
            long passed = 0;
            foreach (ShardEntry shard in map.Shards)
            {
                // Differences of rounded running sums: they add up to what is wanted, and none is beyond its shard.
                long from = Share(passed, wanted, map.Vectors);
                passed += shard.Vectors;
                int count = (int)(Share(passed, wanted, map.Vectors) - from);
                ulong seed = Seeded.Mix(_method.Seed + (ulong)shard.Id.Number);
                parts.Add(await _client.SampleAsync(shard.Serving.First(), count, seed, _work.Cancel).ConfigureAwait(false));
            }

            return parts.Count == 1 ? parts[0] : Join(parts);
        }
        finally
        {
            foreach (VectorBlock part in parts.Count == 1 ? [] : parts)
            {
                part.Dispose();
            }
        }
    }

    private static long Share(long passed, long wanted, long all) => (long)((Int128)passed * wanted / all);

    private static unsafe VectorBlock Join(List<VectorBlock> parts)
    {
        VectorBlock all = VectorBlock.Allocate(parts.Sum(part => part.Count), parts[0].Dim, parts[0].Type);
        long at = 0;
        foreach (VectorBlock part in parts)
        {
            for (long row = 0; row < part.Count; row++)
            {
                part.RowSpan(row).CopyTo(new Span<byte>(all.Row(at++), all.RowBytes));
            }
        }

        return all;
    }
}
