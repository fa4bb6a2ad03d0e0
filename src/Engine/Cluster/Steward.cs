using System.Runtime.CompilerServices;
using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Cluster;

/// <summary>How the leader decides.</summary>
public sealed record StewardOptions
{
    /// <summary>Copies wanted of every shard.</summary>
    public int Replicas { get; init; } = 2;

    /// <summary>How long others wait for a leader that says nothing.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a silo without a lease is awaited before its shards are opened elsewhere.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the members must have stayed the same before a collection gets its first map.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Copies that may be on their way to a silo before no further move to it begins.</summary>
    public int MovesMax { get; init; } = 2;
}

/// <summary>
/// Leads the cluster where this silo holds the leader's lease, and tries to get it where nobody does. What is decided is
/// <see cref="MapPlan"/>'s; every map is written under the lease, so what a leader decided before it lost its lead is refused. A leader
/// remembers only since when silos are gone: the next one waits for them anew.
/// </summary>
/// <param name="state">Where leases and maps are.</param>
/// <param name="name">Name of this silo.</param>
/// <param name="manifests">Reads the manifests of all collections of the segment store.</param>
/// <param name="options">How to decide.</param>
/// <param name="time">Only its monotonic clock is used.</param>
public sealed class Steward(
    IClusterState state, string name, Func<CancellationToken, IReadOnlyList<CollectionManifest>> manifests, StewardOptions options,
    TimeProvider time)
{
    /// <summary>Role of the leader.</summary>
    public const string Role = "placement";

    private readonly Dictionary<string, long> _goneSince = [];
    private Lease? _lease;
    private string _members = "";
    private long _membersSince;
    private long _ledSince;
    private volatile StrongBox<double>? _tolerance;
    private IReadOnlyList<CollectionManifest> _manifests = [];

    /// <summary>Whether this silo led when it last looked.</summary>
    public bool Leads => _lease is not null;

    /// <summary>Copies for which there was no silo when it last decided.</summary>
    public IReadOnlyList<PlacementGap> Gaps { get; private set; } = [];

    /// <summary>Why the segment store could not be read when it last decided, by what it had read before; null where it could.</summary>
    public string? StoreFailure { get; private set; }

    /// <summary>
    /// Balances once to within <paramref name="tolerance"/> of the fair shares, which is above 0: until nothing is left to do for that, or another
    /// leads, who does not know of it.
    /// </summary>
    /// <returns>Whether this silo leads.</returns>
    public bool Balance(double tolerance)
    {
        _tolerance = Leads ? new StrongBox<double>(tolerance) : null;
        return Leads;
    }

    /// <summary>Decides once; to be called several times in the duration of a lease.</summary>
    /// <returns>The maps that were written.</returns>
    /// <exception cref="IOException">The cluster state or the segment store cannot be reached.</exception>
    public async ValueTask<IReadOnlyList<ShardMap>> StepAsync(CancellationToken cancel)
    {
        if (!await HoldLeadAsync(cancel).ConfigureAwait(false))
        {
            Gaps = [];
            return [];
        }

        IReadOnlyList<Member> members = await Member.AllAsync(state, cancel).ConfigureAwait(false);
        bool isSettled = Settled(members);
        var maps = new Dictionary<string, ShardMap>();
        var known = new List<CollectionManifest>();
        foreach (CollectionManifest manifest in Manifests(cancel))
        {
            if (await state.ReadAsync(manifest.Name, cancel).ConfigureAwait(false) is { } map)
            {
                maps.Add(manifest.Name, map);
            }
            else if (!isSettled)
            {
                continue;
            }

            known.Add(manifest);
        }

        HashSet<string> awaited = AwaitedOf(maps.Values, members);
        StrongBox<double>? tolerance = _tolerance;
        var input = new MapInput
        {
            Manifests = known,
            Maps = maps,
            Members = members,
            Awaited = awaited,
            Unheard = time.GetElapsedTime(_ledSince) < options.Lease ? awaited : [],
            Replicas = options.Replicas,
            MovesMax = options.MovesMax,
            Tolerance = tolerance?.Value ?? Placement.DefaultTolerance,
        };
        var written = new List<ShardMap>();
        MapDecision decision = MapPlan.Next(input);
        Gaps = decision.Gaps;
        foreach (ShardMap map in decision.Maps)
        {
            if (await state.TryWriteAsync(map, _lease, cancel).ConfigureAwait(false))
            {
                written.Add(map);
            }
        }

        bool isHeld = awaited.Count > 0 || members.Any(member => member.Note.IsLeaving);
        if (!isHeld && decision.Maps.Count == 0 && maps.Values.SelectMany(map => map.Shards).SelectMany(shard => shard.Replicas).All(r => r.State != ReplicaState.Opening))
        {
            Interlocked.CompareExchange(ref _tolerance, null, tolerance); // done, unless another was asked for meanwhile
        }

        return written;
    }

    /// <summary>Lets another lead.</summary>
    public async ValueTask LeaveAsync(CancellationToken cancel)
    {
        if (_lease is { } lease)
        {
            _lease = null;
            await state.ReleaseAsync(lease, cancel).ConfigureAwait(false);
        }
    }

    private async ValueTask<bool> HoldLeadAsync(CancellationToken cancel)
    {
        if (_lease is not null && await state.TryRenewAsync(_lease, options.Lease, cancel).ConfigureAwait(false))
        {
            return true;
        }

        _tolerance = null;
        _goneSince.Clear();
        _members = "";
        _lease = await state.TryAcquireAsync(Role, name, options.Lease, cancel).ConfigureAwait(false);
        _ledSince = time.GetTimestamp();
        return _lease is not null;
    }

    /// <summary>The manifests; where the store is away, those that were read before: what becomes of silos does not wait for it.</summary>
    private IReadOnlyList<CollectionManifest> Manifests(CancellationToken cancel)
    {
        try
        {
            _manifests = manifests(cancel);
            StoreFailure = null;
        }
        catch (IOException e) when (_manifests.Count > 0)
        {
            StoreFailure = e.Message;
        }

        return _manifests;
    }

    /// <summary>Whether the members are the same since the time that a first map waits.</summary>
    private bool Settled(IReadOnlyList<Member> members)
    {
        string text = string.Join(' ', members.Select(member => member.Silo));
        if (text != _members)
        {
            (_members, _membersSince) = (text, time.GetTimestamp());
        }

        return members.Count > 0 && time.GetElapsedTime(_membersSince) >= options.Settle;
    }

    /// <summary>The silos of the maps that are gone, but not for long.</summary>
    private HashSet<string> AwaitedOf(IEnumerable<ShardMap> maps, IReadOnlyList<Member> members)
    {
        HashSet<string> gone = [.. maps.SelectMany(map => map.Shards).SelectMany(shard => shard.Replicas).Select(replica => replica.Silo)];
        gone.ExceptWith(members.Select(member => member.Silo.Name));
        foreach (string back in _goneSince.Keys.Except(gone).ToArray())
        {
            _goneSince.Remove(back);
        }

        foreach (string silo in gone)
        {
            _goneSince.TryAdd(silo, time.GetTimestamp());
        }

        return [.. gone.Where(silo => time.GetElapsedTime(_goneSince[silo]) < options.Grace)];
    }
}
