using System.Runtime.InteropServices;
using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;

namespace Signpost.Engine.Cluster;

/// <summary>What one search of the coordinator has collected so far. Pooled, so that a search allocates nothing; one thread at a time.</summary>
internal sealed class FanOut
{
    private readonly TopK _best = new();
    private readonly List<SiloGroup> _groups = []; // those beyond the count are for later searches
    private int _groupCount;
    private ShardMap _map = null!;
    private Hit[] _target = [];
    private SearchStats _stats;
    private Problem? _refusal;
    private Problem? _stale;
    private List<MissingShard>? _missing;
    private int _shardsAnswered;
    private long _vectorsAnswered;

    /// <summary>Room for the answer of one silo, used by one silo after the other.</summary>
    public Memory<Hit> Target => _target;

    /// <summary>Whether a shard has not the codes that were asked for: the answer is not to be used, and another map may do.</summary>
    public bool IsStale => _stale is not null;

    /// <summary>The map that the search uses.</summary>
    public ShardMap Map => _map;

    /// <summary>Calls that had not ended when they returned; null while there are none.</summary>
    public List<(SiloGroup Group, Task<ShardAnswer> Call)>? Pending { get; private set; }

    /// <summary>Who is asked for what.</summary>
    public ReadOnlySpan<SiloGroup> Groups => CollectionsMarshal.AsSpan(_groups)[.._groupCount];

    /// <summary>Forgets everything and will keep the best <paramref name="k"/> of the shards of <paramref name="map"/>.</summary>
    public void Restart(ShardMap map, int k)
    {
        if (_target.Length < k)
        {
            _target = new Hit[k];
        }

        _best.Restart(k);
        _map = map;
        _groupCount = 0;
        _stats = default;
        _refusal = null;
        _stale = null;
        _missing = null;
        _shardsAnswered = 0;
        _vectorsAnswered = 0;
        Pending = null;
    }

    /// <summary>Will ask <paramref name="silo"/> for <paramref name="shard"/>.</summary>
    public void Plan(ShardEntry shard, SiloId silo)
    {
        foreach (SiloGroup group in Groups)
        {
            if (group.Silo == silo)
            {
                group.Add(shard);
                return;
            }
        }

        if (_groupCount == _groups.Count)
        {
            _groups.Add(new SiloGroup());
        }

        SiloGroup added = _groups[_groupCount++];
        added.Restart(silo);
        added.Add(shard);
    }

    /// <summary>Takes the answer of a silo.</summary>
    public void Take(SiloGroup group, in ShardAnswer answer)
    {
        if (answer.Refusal is not null)
        {
            _ = answer.Refusal.Code == ProblemCode.StaleVersion ? _stale ??= answer.Refusal : _refusal ??= answer.Refusal;
            return;
        }

        _best.Add(answer.Hits.Span, Slots.All);
        _stats.Add(answer.Stats);
        foreach (ShardEntry shard in group.Entries)
        {
            if (Find(answer.Missing, shard.Id) is { } missing)
            {
                (_missing ??= []).Add(missing);
            }
            else
            {
                _shardsAnswered++;
                _vectorsAnswered += shard.Vectors;
            }
        }
    }

    /// <summary>Leaves a shard out.</summary>
    public void Miss(ShardId shard, string reason) => (_missing ??= []).Add(new MissingShard(shard, reason));

    /// <summary>Leaves the shards of a silo out.</summary>
    public void Miss(SiloGroup group, string reason)
    {
        foreach (ShardEntry shard in group.Entries)
        {
            Miss(shard.Id, reason);
        }
    }

    /// <summary>Leaves the shards of a silo out because the time is over.</summary>
    public void MissLate(SiloGroup group, string reason)
    {
        _stats.DeadlineReached = true;
        Miss(group, reason);
    }

    /// <summary>Waits later for a call that has not ended.</summary>
    public void Postpone(SiloGroup group, Task<ShardAnswer> call) => (Pending ??= []).Add((group, call));

    /// <summary>The answer: hits to <paramref name="target"/>, or why the request is refused.</summary>
    public Outcome<SearchAnswer> Finish(bool requireFull, Span<Hit> target)
    {
        if ((_refusal ?? _stale) is { } refused)
        {
            return refused;
        }

        var coverage = new Coverage(_shardsAnswered, _map.Shards.Length, _vectorsAnswered, _map.Vectors);
        _missing?.Sort((x, y) => x.Shard.Number.CompareTo(y.Shard.Number));
        if (requireFull && !coverage.IsFull)
        {
            string reasons = string.Join("; ", _missing!.Select(m => $"{m.Shard}: {m.Reason}"));
            return new Problem(
                ProblemCode.IncompleteCoverage, "coverage", $"{coverage} ({reasons})", "all of both",
                "Mend the shards, give more time, or accept partial answers.");
        }

        _best.Best.CopyTo(target);
        return new SearchAnswer(_best.Best.Length, coverage, _stats, (IReadOnlyList<MissingShard>?)_missing ?? []);
    }

    private static MissingShard? Find(IReadOnlyList<MissingShard>? all, ShardId shard)
    {
        foreach (MissingShard missing in all ?? [])
        {
            if (missing.Shard == shard)
            {
                return missing;
            }
        }

        return null;
    }
}
