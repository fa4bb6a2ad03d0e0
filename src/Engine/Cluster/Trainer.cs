using System.Collections.Immutable;
using System.Text;
using Signpost.Engine.Base;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Cluster;

/// <summary>How a silo trains.</summary>
public sealed record TrainerOptions
{
    /// <summary>How long others wait for a trainer that says nothing before one of them goes on with its training.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Pause after a failure of a shard, the store or the state.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Failures without a step forward after which a training is given up. 60: shards of a lost silo are opened elsewhere by then.</summary>
    public int AttemptsMax { get; init; } = 60;

    /// <summary>
    /// Trainers that a training may lose; then it is given up. What ends their process every time, such as a want of memory, is not to end one silo
    /// after the other for ever.
    /// </summary>
    public int ResumesMax { get; init; } = 10;

    /// <summary>Pause between two looks at the map while queries turn.</summary>
    public TimeSpan Look { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Most threads that a training may use here.</summary>
    public int ThreadsMax { get; init; } = 1;
}

/// <summary>
/// Trainings of a cluster as one silo has part in them: those that it runs, and what it knows of others. The silo that is asked for a training runs it,
/// under a lease; the training is a <see cref="TrainingRecord"/> in the segment store, so when that silo is lost the leader goes on with it, from what
/// the store has: the quantizer or a checkpoint of it, codes of shards, the manifest.
/// </summary>
/// <remarks>
/// One training at a time. It is kept apart from builds, splits and merges by the lock of the collection's folder; in a store that is none the
/// manifest is compared before it is replaced, and of two changes the later one comes to nothing. A trainer that is stopped for longer than its
/// lease and goes on is held up by the lease wherever it would write. What still gets through (a request that was on its way) does no harm: files are
/// named by their content, the manifest is compared, and copies tell only of codes that the manifest names.
/// </remarks>
public sealed class Trainer
{
    /// <summary>What the roles of all trainers begin with; the name of the collection follows.</summary>
    public const string RolePrefix = "training/";

    private const int LeasesUntilReadAgain = 10;

    private readonly SemaphoreSlim _starting = new(1);
    private readonly HashSet<string> _looked = [];
    private ImmutableDictionary<string, TrainingRecord> _known = ImmutableDictionary<string, TrainingRecord>.Empty;
    private volatile HashSet<string> _leased = [];
    private volatile TrainingRun? _run;
    private readonly IClusterState _state;
    private readonly string _name;
    private readonly ISegmentStore _store;
    private readonly IDisk _disk;
    private readonly IShardClient _client;
    private readonly TrainerOptions _options;
    private readonly TimeProvider _time;
    private readonly TrainingWaits _waits;
    private bool _mayAdopt;
    private long _readAt;

    /// <param name="state">Where leases and maps are.</param>
    /// <param name="name">Name of this silo.</param>
    /// <param name="store">Where the collections are.</param>
    /// <param name="disk">Where they are if the store is a folder of this machine.</param>
    /// <param name="client">Asks shards.</param>
    /// <param name="options">How to train.</param>
    /// <param name="time">Only its monotonic clock is used.</param>
    public Trainer(IClusterState state, string name, ISegmentStore store, IDisk disk, IShardClient client, TrainerOptions options, TimeProvider time)
        : this(state, name, store, disk, client, options, time, new TrainingWaits())
    {
    }

    internal Trainer(
        IClusterState state, string name, ISegmentStore store, IDisk disk, IShardClient client, TrainerOptions options, TimeProvider time, TrainingWaits waits) =>
        (_state, _name, _store, _disk, _client, _options, _time, _waits) = (state, name, store, disk, waits.Over(client), options, time, waits);

    /// <summary>Whether this silo trains.</summary>
    public bool IsTraining => _run is not null;

    /// <summary>The last training of every collection that had one, as this silo knows them, by name.</summary>
    public IReadOnlyList<TrainingRecord> Known
    {
        get
        {
            ImmutableDictionary<string, TrainingRecord> known = Volatile.Read(ref _known);
            known = _run?.Record is { } own ? known.SetItem(own.Collection, own) : known;
            return [.. known.Values.OrderBy(record => record.Collection, StringComparer.Ordinal)];
        }
    }

    /// <summary>Begins a training here; <see cref="RunAsync"/> runs it.</summary>
    /// <param name="collection">Name of the collection.</param>
    /// <param name="order">What is to be learned.</param>
    /// <param name="cancel">Ends the wait; the training may be begun or not.</param>
    /// <returns>The training; or, with nothing begun, why not: settings, a collection that cannot be trained now, another training or another writer.</returns>
    /// <exception cref="IOException">The state or the store cannot be reached.</exception>
    public async ValueTask<Outcome<TrainingRecord>> StartAsync(string collection, TrainingOrder order, CancellationToken cancel)
    {
        if (!CollectionManifest.IsName(collection))
        {
            return new Problem(ProblemCode.InvalidArgument, "collection", collection, "the name of a collection", "Check the name.");
        }

        Outcome<CollectionManifest> read = StoreTraining.Read(_store, collection, cancel);
        if ((read.Problem ?? Problem.Join(order.Method.Validate(read.Value!.Dim, read.Value.Metric)) ?? TrainingJob.WhyNot(read.Value!, collection)) is { } problem)
        {
            return problem;
        }

        await _starting.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            if (await OtherAsync(null, cancel).ConfigureAwait(false) is { } other)
            {
                return other;
            }

            return await BeginAsync(collection, found => found is { State: TrainingState.Running } ? null : Ordered(found), cancel).ConfigureAwait(false) is { } begun
                ? begun
                : Busy(collection, "a silo that is lost; another one goes on with it");

            TrainingRecord Ordered(TrainingRecord? before)
            {
                CollectionManifest manifest = StoreTraining.Read(_store, collection, cancel).Value ?? read.Value!; // nobody else trains by now
                return new TrainingRecord
                {
                    Collection = collection,
                    Silo = _name,
                    Epoch = before?.Epoch ?? 0,
                    Number = (before?.Number ?? 0) + 1,
                    Order = order,
                    Lineage = manifest.Lineage,
                    From = manifest.CodesVersion,
                    Files = before?.Files ?? [],
                };
            }
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Stops the training of a collection for good: the codes before stay in use.</summary>
    /// <returns>The training; or why not: there is none, or another silo runs it, which is to be asked.</returns>
    public async ValueTask<Outcome<TrainingRecord>> StopAsync(string collection, CancellationToken cancel)
    {
        if (_run is { } run && run.Record.Collection == collection)
        {
            run.Stop();
            return run.Record;
        }

        IReadOnlyList<NotedLease> others = await _state.LeasesAsync(RolePrefix, cancel).ConfigureAwait(false);
        if (others.FirstOrDefault(other => other.Lease.Role == RolePrefix + collection) is { } holder)
        {
            return new Problem(ProblemCode.NotFound, $"training of {collection}", $"{_name}, which was asked", $"{holder.Lease.Holder} itself", "Ask it there.");
        }

        await _starting.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            // One that waits for a silo to go on with it is begun here, to be ended.
            Outcome<TrainingRecord>? begun = _run is not null
                ? Busy(_run.Record.Collection, _name)
                : await BeginAsync(collection, found => found is { State: TrainingState.Running } ? found : null, cancel, isStopped: true).ConfigureAwait(false);
            return begun ?? new Problem(ProblemCode.NotFound, $"training of {collection}", "none that runs", "one that runs", "See signpost cluster for what does.");
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Looks for what others train, and, where this silo leads, goes on with what a lost silo has left. To be called about once a second.</summary>
    /// <param name="collections">Those that are served.</param>
    /// <param name="mayAdopt">Whether this silo leads.</param>
    /// <param name="cancel">Ends it.</param>
    public async ValueTask LookAsync(IReadOnlyCollection<string> collections, bool mayAdopt, CancellationToken cancel)
    {
        if (mayAdopt && (!_mayAdopt || _time.GetElapsedTime(_readAt) >= LeasesUntilReadAgain * _options.Lease))
        {
            _looked.Clear(); // what the leader before knew, and what began and was lost while this silo could not look
            _readAt = _time.GetTimestamp();
        }

        _mayAdopt = mayAdopt;
        var leased = new HashSet<string>();
        foreach (NotedLease lease in await _state.LeasesAsync(RolePrefix, cancel).ConfigureAwait(false))
        {
            leased.Add(lease.Lease.Role[RolePrefix.Length..]);
            if (lease.Note is not null && TrainingRecord.Read(Encoding.UTF8.GetBytes(lease.Note)) is { } record)
            {
                Know(record);
            }
        }

        ImmutableDictionary<string, TrainingRecord> known = Volatile.Read(ref _known);
        bool IsDue(string collection) =>
            !_looked.Contains(collection) || _leased.Contains(collection) || known.GetValueOrDefault(collection)?.State == TrainingState.Running;
        foreach (string collection in collections.Where(c => !leased.Contains(c) && IsDue(c)))
        {
            if (TrainingRun.Read(_store, collection, cancel) is { } record)
            {
                Know(record with { Files = [] });
            }
            else if (_run?.Record.Collection != collection)
            {
                ImmutableInterlocked.TryRemove(ref _known, collection, out _); // built anew, or gone
            }

            _looked.Add(collection);
        }

        _leased = leased;
        string[] left = leased.Count == 0 && mayAdopt ? [.. Known.Where(record => record.State == TrainingState.Running).Select(record => record.Collection)] : [];
        foreach (string collection in left.Where(collections.Contains))
        {
            if (_run is null)
            {
                await AdoptAsync(collection, cancel).ConfigureAwait(false); // where that one cannot be gone on with now, perhaps the next
            }
        }
    }

    /// <summary>Keeps the lease of what this silo trains; to be called several times in the duration of a lease.</summary>
    public ValueTask BeatAsync(CancellationToken cancel) => _run is { } run ? run.BeatAsync(cancel) : ValueTask.CompletedTask;

    /// <summary>Runs what was begun here to its end, if there is anything; the caller's thread is used for it.</summary>
    /// <param name="cancel">This silo ends: another one goes on.</param>
    /// <returns>What became of it, for the operator; null where there was nothing, or another silo goes on.</returns>
    public async ValueTask<string?> RunAsync(CancellationToken cancel)
    {
        if (_run is not { } run)
        {
            return null;
        }

        CancellationTokenRegistration leaving = cancel.Register(run.Leave);
        try
        {
            await TrainAsync(run).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (run.Cancel.IsCancellationRequested)
        {
            // Its lease ended while it wrote down how it went: another silo goes on.
        }
        finally
        {
            await leaving.DisposeAsync().ConfigureAwait(false);
            await run.ReleaseAsync().ConfigureAwait(false);
            Know(run.Record);
            _run = null;
            run.Dispose();
        }

        TrainingRecord ended = run.Record;
        return ended.State switch
        {
            TrainingState.Running => null,
            TrainingState.Done => $"training of {ended.Collection}: queries use codes version {ended.CodesVersion}",
            _ => $"training of {ended.Collection}: {ended.State.ToString().ToLowerInvariant()}{(ended.Reason is null ? "" : $": {ended.Reason}")}",
        };
    }

    /// <summary>This silo stops: another one is to go on with what it trains.</summary>
    public void Leave() => _run?.Leave();

    /// <summary>A training that is under way, besides the one of <paramref name="own"/>.</summary>
    private async ValueTask<Problem?> OtherAsync(Lease? own, CancellationToken cancel)
    {
        IReadOnlyList<NotedLease> leases = await _state.LeasesAsync(RolePrefix, cancel).ConfigureAwait(false);
        Lease? other = leases.Select(noted => noted.Lease).FirstOrDefault(lease => lease.Role != own?.Role);
        return _run is { } run ? Busy(run.Record.Collection, _name)
            : other is null ? null
            : Busy(other.Role[RolePrefix.Length..], other.Holder);
    }

    private static Problem Busy(string collection, string who) => new(
        ProblemCode.Busy, "training", $"{collection} is being trained by {who}", "one training at a time", "Wait for its end, or stop it: signpost train --stop.");

    private void Know(TrainingRecord record) =>
        ImmutableInterlocked.AddOrUpdate(ref _known, record.Collection, record, (_, known) => known.Epoch > record.Epoch ? known : record);

    private async ValueTask AdoptAsync(string collection, CancellationToken cancel)
    {
        await _starting.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            if (_run is null)
            {
                await BeginAsync(collection, found => found is { State: TrainingState.Running } ? found with { Resumed = found.Resumed + 1 } : null, cancel).ConfigureAwait(false);
            }
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Takes the lease, and begins what <paramref name="choose"/> makes of the record that is there.</summary>
    /// <returns>The training; why it cannot be begun; null where the lease is another's or there is nothing to begin.</returns>
    private async ValueTask<Outcome<TrainingRecord>?> BeginAsync(
        string collection, Func<TrainingRecord?, TrainingRecord?> choose, CancellationToken cancel, bool isStopped = false)
    {
        if (await _state.TryAcquireAsync(RolePrefix + collection, _name, _options.Lease, cancel).ConfigureAwait(false) is not { } lease)
        {
            return null;
        }

        IDisposable? folder = null;
        TrainingRun? run = null;
        Problem? problem = null;
        try
        {
            // Two that began in the same instant both have a lease by now: at least one of them sees the other's, and leaves.
            problem = isStopped ? null : await OtherAsync(lease, cancel).ConfigureAwait(false);
            Outcome<IDisposable> locked = problem is null && _store.FolderOf(collection) is { } at ? CollectionFiles.Lock(_disk, at) : default;
            (folder, problem) = (locked.Value, problem ?? locked.Problem);
            TrainingRecord? found = problem is null ? TrainingRun.Read(_store, collection, cancel) : null; // now that nobody else changes it
            if (problem is null && (folder is not null || !(found?.Epoch > lease.Epoch)) && choose(found) is { } record)
            {
                run = new TrainingRun(_store, _state, lease, record, folder, _options, _time);
                run.Save();
                if (isStopped)
                {
                    run.Stop();
                }

                Know(run.Record);
                _run = run;
                return run.Record;
            }
        }
        finally
        {
            if (_run is null || _run != run)
            {
                folder?.Dispose();
                await _state.ReleaseAsync(lease, CancellationToken.None).ConfigureAwait(false);
            }
        }

        return problem is null ? default(Outcome<TrainingRecord>?) : problem;
    }

    private async ValueTask TrainAsync(TrainingRun run)
    {
        var place = new StoreTraining(_store, _state, run, _options, _waits);
        TrainingOrder order = run.Record.Order;
        if (!run.IsStopped && WhyNotGoOn(run.Record) is { } lost)
        {
            End(run, place, lost);
            return;
        }

        for (int failures = 1; ; failures++)
        {
            string reason;
            TrainingStep step = run.Record.Step;
            try
            {
                run.Cancel.ThrowIfCancellationRequested();
                var work = new Work(Math.Min(order.Threads, _options.ThreadsMax), run, run.Cancel, isLow: true);
                Outcome<TrainingResult> result = await TrainingJob.RunAsync(place, _client, order.Method, run.Learned, work).ConfigureAwait(false);
                if (result.Problem is not { Code: ProblemCode.IncompleteCoverage } missing)
                {
                    End(run, place, result);
                    return;
                }

                reason = missing.ToString();
            }
            catch (OperationCanceledException) when (run.Cancel.IsCancellationRequested)
            {
                if (run.IsStopped)
                {
                    End(run, place, null);
                }

                return;
            }
            catch (Exception e) when (e is ProblemException or BadFileException)
            {
                End(run, place, e is ProblemException refused ? refused.Problem : new Problem(ProblemCode.NotFound, "file", e.Message, "a whole one", "Mend it, or build the collection anew."));
                return;
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                reason = e.Message;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                End(run, place, new Problem(ProblemCode.NotSupported, "training", $"{e.GetType().Name}: {e.Message}", "a training that ends well", "Mend what it says, and start it again."));
                return;
            }

            failures = run.Record.Step > step ? 1 : failures;
            if (failures >= _options.AttemptsMax)
            {
                End(run, place, new Problem(ProblemCode.IncompleteCoverage, "training", reason, "shards, a store and a state that answer", "Start it again when they do."));
                return;
            }

            run.Change(record => record with { Reason = reason });
            await _waits.Pause(_options.Pause, run.Cancel).ConfigureAwait(false); // cancelled: the next round sees it
        }
    }

    /// <summary>Why a training that a lost trainer has left is not gone on with; null where it is.</summary>
    private Problem? WhyNotGoOn(TrainingRecord record)
    {
        if (record.Resumed > _options.ResumesMax)
        {
            return new Problem(
                ProblemCode.NotSupported, $"training of {record.Collection}", $"{record.Resumed} trainers that were lost in it", $"at most {_options.ResumesMax}",
                "See what ends them (memory, most likely), and start it again.");
        }

        return record.Resumed > 0 && StoreTraining.Read(_store, record.Collection, CancellationToken.None).Value is { } now
            && (now.Lineage != record.Lineage || (now.CodesVersion != record.From && now.CodesVersion != record.CodesVersion))
                ? new Problem(
                    ProblemCode.NotFound, $"training of {record.Collection}", "a collection that was built or trained anew since it was ordered", "the one that it was ordered for",
                    "Start it again if it is still wanted.")
                : null;
    }

    /// <summary>Writes down how it ended; where it came to nothing, what it has made goes. Without a lease it has not ended: another silo goes on.</summary>
    private void End(TrainingRun run, StoreTraining place, Outcome<TrainingResult>? outcome)
    {
        if (!run.Holds())
        {
            return;
        }

        CollectionManifest? now = StoreTraining.Read(_store, run.Record.Collection, CancellationToken.None).Value;
        TrainingRecord record = run.Record;
        TrainingResult? result = outcome?.Value;
        bool isCommitted = result is not null
            || (now?.Quantizer is { } quantizer && quantizer.Info.Version == record.CodesVersion && record.Files.Contains(quantizer.File));
        run.Change(r => r with
        {
            Seconds = record.Seconds,
            State = isCommitted ? TrainingState.Done : outcome is null ? TrainingState.Stopped : TrainingState.Failed,
            Error = result?.Error,
            Sampled = result?.Sampled ?? r.Sampled,
            CodesVersion = result?.Manifest.CodesVersion ?? r.CodesVersion,
            Reason = outcome?.Problem?.ToString() ?? (result is null && isCommitted ? "stopped while queries turned: they do when every copy has the codes" : null),
        });
        if (!isCommitted && now is not null)
        {
            place.Discard();
        }

        run.Save();
    }
}
