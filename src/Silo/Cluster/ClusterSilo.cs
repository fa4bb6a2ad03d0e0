using System.Collections.Concurrent;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Grains;
using Signpost.Silo.Http;
using Signpost.Silo.Telemetry;

namespace Signpost.Silo.Cluster;

/// <summary>
/// A silo of a cluster: keeps its lease, opens the shards that the maps give it, leads when nobody else does, and answers queries for all
/// collections. Composed of the engine's parts; what is here is when each of them runs.
/// </summary>
internal sealed class ClusterSilo : IServed, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LayoutInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan TrainingInterval = TimeSpan.FromSeconds(1);

    private readonly ClusterOptions _options;
    private readonly IClusterState _state;
    private readonly SiloShards _shards;
    private readonly LayoutKeeper _layout;
    private readonly IShardClient _client;
    private readonly Func<int> _waiting;
    private readonly Action<string> _say;
    private readonly SiloAgent _agent;
    private readonly Steward _steward;
    private readonly SemaphoreSlim _leading = new(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, ClusterCollection> _collections = [];
    private readonly ConcurrentDictionary<string, string> _unopened = [];
    private readonly CancellationTokenSource _drained = new();
    private readonly MoveClock _moves = new(TimeProvider.System);
    private readonly List<Repeated> _threads = [];
    private readonly List<Task> _watches = [];
    private Repeated? _stepping;
    private Repeated? _training;
    private volatile Looked _looked = new([], []);
    private volatile bool _isLeaving;
    private volatile Drain? _drain;
    private long _enoughAt; // when enough other silos stayed, a timestamp
    private string _url = "";
    private string _peerUrl = "";

    /// <param name="options">What it is told.</param>
    /// <param name="state">Where the cluster agrees.</param>
    /// <param name="shards">What it has open; disposed with it.</param>
    /// <param name="layout">Keeps shards within limits while it leads.</param>
    /// <param name="lease">Its membership.</param>
    /// <param name="clientOf">Makes what asks shards here and elsewhere, given where a silo is.</param>
    /// <param name="trainerOf">Makes what trains, given that.</param>
    /// <param name="waiting">Searches that wait for a thread.</param>
    /// <param name="say">Takes a line for the operator.</param>
    public ClusterSilo(
        ClusterOptions options, IClusterState state, SiloShards shards, LayoutKeeper layout, SiloLease lease, Func<Func<SiloId, Uri?>, IShardClient> clientOf,
        Func<IShardClient, Trainer> trainerOf, Func<int> waiting, Action<string> say)
    {
        (_options, _state, _shards, _layout, Lease, _waiting, _say) = (options, state, shards, layout, lease, waiting, say);
        _client = clientOf(silo => Member.AddressOf(Members, silo));
        Trainer = trainerOf(_client);
        _agent = new SiloAgent(state, options.Silo, shards, TimeProvider.System, options.RetryAfter)
        {
            Seen = Use,
            Linger = options.Linger,
            Replicas = options.Steward.Replicas,
        };
        _steward = new Steward(state, options.Silo, shards.Manifests, options.Steward, TimeProvider.System);
    }

    /// <summary>Its membership.</summary>
    public SiloLease Lease { get; }

    /// <summary>Its part in trainings.</summary>
    public Trainer Trainer { get; }

    /// <inheritdoc/>
    public IReadOnlyList<TrainingRecord> Trainings => Trainer.Known;

    /// <summary>What it decides while it leads, to be asked by others.</summary>
    public IPlacementGrain Decisions => new PlacementGrain(DecideAsync, _state);

    /// <summary>What it is told.</summary>
    public ClusterOptions Options => _options;

    /// <summary>The silos that were members when this one last looked.</summary>
    public IReadOnlyList<Member> Members => _looked.Members;

    /// <summary>Name of the silo that led when this one last looked; null where it knows of none.</summary>
    public string? Leader { get; private set; }

    /// <summary>The collections that have a map.</summary>
    public IEnumerable<IServedCollection> Collections => _collections.Values.OrderBy(c => c.Name, StringComparer.Ordinal);

    /// <summary>Cancelled when it was to be drained, and is: nothing is left for it to do.</summary>
    public CancellationToken Drained => _drained.Token;

    /// <summary>Copies that are on their way, and since when this silo has seen it.</summary>
    public IReadOnlyList<(PlannedMove Move, TimeSpan For)> Moves => _moves.Of(_looked.Maps, _looked.Members, () => ForecastOf(null, null));

    /// <inheritdoc/>
    public IAdmin Admin => new ClusterAdmin(this);

    /// <inheritdoc/>
    /// <remarks>A silo that has started opens first what others miss: before, nobody is to stop the next one in its favour.</remarks>
    public string? NotReady => !Lease.MayServe ? "joining" : _collections.IsEmpty ? "no shard map yet" : !_agent.HasOpened ? "opening its shards" : null;

    /// <inheritdoc/>
    public IServedCollection? Find(string name) => _collections.GetValueOrDefault(name);

    /// <summary>Tells the queries of the last seconds.</summary>
    public Func<SiloTraffic?> Traffic { private get; init; } = () => null;

    /// <inheritdoc/>
    public SiloFacts Facts => new()
    {
        IsLeader = _steward.Leads,
        MayServe = Lease.MayServe,
        IsStateReachable = Lease.Unreachable is null,
        Epoch = Lease.Silo?.Epoch ?? 0,
        LeasesLost = Lease.Losses,
        Silos = Members.Count,
        Replicas = _options.Steward.Replicas,
        MemoryLimit = _options.MemoryBytes,
    };

    /// <inheritdoc/>
    public ClusterReply Describe(string url, int waiting, SiloTraffic traffic) => ClusterView.Of(this);

    /// <summary>Joins the cluster; from now on it can be asked at these addresses.</summary>
    public void Start(string url, string peerUrl)
    {
        (_url, _peerUrl) = (url, peerUrl);
        _threads.Add(new Repeated("membership", _options.Lease / 6, Beat, _say));
        _threads.Add(_stepping = new Repeated("shards", Interval, StepAsync, _say));
        _threads.Add(new Repeated("members", Interval, LookAsync, _say));
        _threads.Add(new Repeated("placement", Interval, LeadAsync, _say));
        _threads.Add(new Repeated("trainings", TrainingInterval, LookForTrainingsAsync, _say));
        _threads.Add(new Repeated("lease of a training", _options.Lease / 6, Trainer.BeatAsync, _say));
        _threads.Add(_training = new Repeated("training", TrainingInterval, RunTrainingAsync, _say));
        if (!_options.Limits.AreOff)
        {
            _threads.Add(new Repeated("layout", LayoutInterval, KeepLayoutAsync, _say));
        }
    }

    /// <summary>From now on its shards are to be elsewhere; when they are, <see cref="Drained"/> says so. False: they may stay.</summary>
    /// <param name="isWanted">Whether to drain.</param>
    /// <param name="mayLoseCopies">Whether fewer copies than wanted may be left, but for the last one.</param>
    public void SetDrain(bool isWanted, bool mayLoseCopies)
    {
        _drain = isWanted ? new Drain(mayLoseCopies, TimeProvider.System.GetTimestamp()) : null;
        _threads.ForEach(thread => thread.Wake());
    }

    /// <summary>Balances once to within <paramref name="tolerance"/>; false where this silo does not lead.</summary>
    public bool Balance(double tolerance)
    {
        bool leads = _steward.Balance(tolerance);
        _threads.ForEach(thread => thread.Wake());
        return leads;
    }

    /// <summary>Begins a training here, which runs from now on.</summary>
    public async ValueTask<Outcome<TrainingRecord>> TrainAsync(string collection, TrainingOrder order, CancellationToken cancel)
    {
        if (_isLeaving || _drain is not null)
        {
            return new Problem(ProblemCode.Busy, "training", $"{_options.Silo}, which stops", "a silo that stays", "Ask another one.");
        }

        Outcome<TrainingRecord> begun = await Trainer.StartAsync(collection, order, cancel).ConfigureAwait(false);
        _training?.Wake();
        return begun;
    }

    /// <summary>What the leader will do as this silo knows the cluster.</summary>
    /// <param name="drained">A silo that is taken as draining; null: none beside those that are.</param>
    /// <param name="tolerance">To balance to; null: as the leader does.</param>
    /// <exception cref="IOException">The segment store cannot be reached.</exception>
    public Forecast ForecastOf(string? drained, double? tolerance)
    {
        Looked looked = _looked;
        Dictionary<string, ShardMap> maps = looked.Maps.ToDictionary(map => map.Collection);
        return Forecast.Of(new MapInput
        {
            Manifests = [.. _shards.Manifests(_stop.Token).Where(manifest => maps.ContainsKey(manifest.Name))],
            Maps = maps,
            Members = [.. looked.Members.Select(member => member.Silo.Name == drained ? member with { Note = member.Note with { IsDraining = true } } : member)],
            Awaited = new HashSet<string>(),
            Unheard = new HashSet<string>(),
            Replicas = _options.Steward.Replicas,
            Tolerance = tolerance ?? Placement.DefaultTolerance,
        });
    }

    /// <summary>Tells all that it stops, and waits until the maps have sent queries elsewhere, or until the time for that is over.</summary>
    public async Task LeaveAsync()
    {
        _isLeaving = true;
        Trainer.Leave();
        foreach (Repeated thread in _threads)
        {
            thread.Wake();
        }

        long start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < _options.LeaveTime && _collections.Values.Any(IsAsked))
        {
            await Task.Delay(50).ConfigureAwait(false);
        }
    }

    /// <summary>Stops, gives up its lease and closes its shards; to be called when nothing is asked of it any more.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _threads.ForEach(thread => thread.Dispose());
        using var brief = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            _steward.LeaveAsync(brief.Token).AsTask().GetAwaiter().GetResult();
            Lease.LeaveAsync(brief.Token).AsTask().GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Its leases end by themselves.
        }

        Task.WhenAll(_watches).ContinueWith(_ => { }, TaskScheduler.Default).GetAwaiter().GetResult();
        (_client as IDisposable)?.Dispose();
        _shards.Dispose();
        _stop.Dispose();
        _drained.Dispose();
        _leading.Dispose();
    }

    private ValueTask Beat(CancellationToken cancel)
    {
        IReadOnlyDictionary<string, long> maps = _agent.Maps; // before looking at what is open
        var note = new SiloNote(
            _url, _peerUrl, _options.Zone, _options.MemoryBytes, _shards.ResidentBytes, _waiting(), _isLeaving, _shards.Held,
            _drain is not null, _drain is { MayLoseCopies: true })
        {
            Traffic = Traffic(),
            Lineages = _shards.Lineages,
            Maps = maps,
        };
        bool isMember = Lease.Beat(note.Write(), cancel);
        return Lease.Unreachable is { } reason
            ? throw new IOException(reason)
            : isMember
                ? ValueTask.CompletedTask
                : throw new IOException(
                    $"another silo of the name {_options.Silo} holds its lease, or an earlier run of this one does for {_options.Lease.TotalSeconds:0.#} s");
    }

    private async ValueTask LookAsync(CancellationToken cancel)
    {
        IReadOnlyList<Member> members = await Member.AllAsync(_state, cancel).ConfigureAwait(false);
        _looked = new Looked(members, [.. _collections.Values.Select(collection => collection.Map)]);
        IReadOnlyList<NotedLease> leaders = await _state.LeasesAsync(Steward.Role, cancel).ConfigureAwait(false);
        Leader = leaders.Count > 0 ? leaders[0].Lease.Holder : null;
        _moves.See(_looked.Maps);
    }

    private async ValueTask StepAsync(CancellationToken cancel)
    {
        Drain? drain = _drain; // before looking
        Lease.Use(await _agent.StepAsync(new Work(1, null, cancel, isLow: true)).ConfigureAwait(false));

        if (drain is not null && drain == _drain)
        {
            KeepOrWithdraw(drain);
        }

        // A leader that had not heard of it may still have given it a shard just before.
        if (drain is not null && drain == _drain && _agent.IsEmpty && TimeProvider.System.GetElapsedTime(drain.Since) >= _options.Linger)
        {
            await _drained.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Takes the wish to drain back where, for as long as a lost silo is awaited, fewer silos stay than there must: nothing could ever leave. Of silos that are
    /// drained at once the first by name goes on, and counts on the others.
    /// </summary>
    private void KeepOrWithdraw(Drain drain)
    {
        int staying = Members.Count(member => member.Silo.Name != _options.Silo && !member.Note.IsLeaving
            && !(member.Note.IsDraining && string.CompareOrdinal(member.Silo.Name, _options.Silo) < 0));
        int needed = drain.MayLoseCopies ? 1 : _options.Steward.Replicas;
        long now = TimeProvider.System.GetTimestamp();
        if (staying >= needed)
        {
            _enoughAt = now;
        }
        else if (TimeProvider.System.GetElapsedTime(Math.Max(_enoughAt, drain.Since), now) >= _options.Steward.Grace)
        {
            SetDrain(isWanted: false, mayLoseCopies: false);
            _say($"drains no more: {staying} other silos stay, and there must be {needed}");
        }
    }

    private async ValueTask LeadAsync(CancellationToken cancel)
    {
        await DecideAsync(cancel).ConfigureAwait(false);
        if (!_isLeaving && _steward.StoreFailure is { } failure)
        {
            throw new IOException(failure);
        }

        if (!_isLeaving && _steward.Gaps is { Count: > 0 } gaps)
        {
            throw new IOException(
                $"{gaps.Sum(gap => gap.Missing)} copies of {gaps.Count} shards are in no silo, such as of {gaps[0].Shard}: {gaps[0].Reason}");
        }
    }

    /// <summary>Decides once where this silo leads, for its own thread and for whoever asks for it, one after the other.</summary>
    private async ValueTask<IReadOnlyList<ShardMap>> DecideAsync(CancellationToken cancel)
    {
        await _leading.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            if (_isLeaving)
            {
                await _steward.LeaveAsync(cancel).ConfigureAwait(false); // another one decides what becomes of this silo's shards
                return [];
            }

            IReadOnlyList<ShardMap> written = await _steward.StepAsync(cancel).ConfigureAwait(false);
            foreach (ShardMap map in written)
            {
                Use(map);
            }

            return written;
        }
        finally
        {
            _leading.Release();
        }
    }

    /// <summary>Splits and merges shards where this silo leads, with one thread, so that queries hardly notice.</summary>
    private ValueTask KeepLayoutAsync(CancellationToken cancel) => _layout.StepAsync(
        _steward.Leads && !_isLeaving ? _shards.Manifests(cancel) : [], () => Math.Max(0, _options.MemoryBytes - _shards.ResidentBytes), _say,
        new Work(1, null, cancel, isLow: true));

    private async ValueTask LookForTrainingsAsync(CancellationToken cancel)
    {
        await Trainer.LookAsync([.. _collections.Keys], _steward.Leads && !_isLeaving, cancel).ConfigureAwait(false);
        _training?.Wake();
    }

    private async ValueTask RunTrainingAsync(CancellationToken cancel)
    {
        if (await Trainer.RunAsync(cancel).ConfigureAwait(false) is { } ended)
        {
            _say(ended);
        }
    }

    /// <summary>Queries use <paramref name="map"/> from now on, and newer ones as they come.</summary>
    private void Use(ShardMap map)
    {
        if (_collections.TryGetValue(map.Collection, out ClusterCollection? known))
        {
            if (SiloShards.WhyNotOf(known.Shards, map.Collection, map.Lineage) is { } other)
            {
                SayUnserved(map.Collection, other.ToString());
                return; // it answers by the map that it has
            }

            known.Use(map);
            return;
        }

        try
        {
            Collection opened = _shards.Open(map.Collection, new Work(1, null, _stop.Token));
            if (SiloShards.WhyNotOf(opened, map.Collection, map.Lineage) is { } other)
            {
                throw new ProblemException(other);
            }

            var added = new ClusterCollection(map, opened, new Coordinator(map, _client, _state, _waiting));
            if (_collections.TryAdd(map.Collection, added))
            {
                _unopened.TryRemove(map.Collection, out _);
                lock (_watches)
                {
                    _watches.Add(WatchAsync(added));
                }
            }
        }
        catch (Exception e) when (e is IOException or BadFileException or ProblemException or UnauthorizedAccessException)
        {
            // The other collections are served; this one is tried again.
            SayUnserved(map.Collection, e.Message);
        }
    }

    private void SayUnserved(string collection, string why)
    {
        if (_unopened.GetValueOrDefault(collection) != why)
        {
            _unopened[collection] = why;
            _say($"{collection} cannot be served here: {why}");
        }
    }

    private async Task WatchAsync(ClusterCollection collection)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await foreach (ShardMap map in _state.WatchAsync(collection.Name, _stop.Token).ConfigureAwait(false))
                {
                    collection.Use(map);
                    _agent.Notice(map);
                    _stepping?.Wake();
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (IOException)
            {
                await Task.Delay(Interval, _stop.Token).ContinueWith(_ => { }, TaskScheduler.Default).ConfigureAwait(false); // the last map goes on
            }
        }
    }

    /// <param name="MayLoseCopies">Whether fewer copies than wanted may be left.</param>
    /// <param name="Since">A timestamp.</param>
    private sealed record Drain(bool MayLoseCopies, long Since);

    /// <summary>Whether the map sends queries to this silo that another one, which stays, could have.</summary>
    private bool IsAsked(ClusterCollection collection)
    {
        HashSet<string> staying = [.. Members.Where(member => !member.Note.IsLeaving).Select(member => member.Silo.Name)];
        staying.Remove(_options.Silo);
        return collection.Map.Shards.Any(shard =>
            shard.Serving.Any(replica => replica.Silo.Name == _options.Silo) && shard.Replicas.Any(replica => staying.Contains(replica.Silo)));
    }

    /// <summary>The silos, and the maps that there were then: a map that is newer may follow from what a silo tells only now.</summary>
    private sealed record Looked(IReadOnlyList<Member> Members, IReadOnlyList<ShardMap> Maps);
}
