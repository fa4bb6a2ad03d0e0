using System.Runtime.InteropServices;
using Signpost.Engine.Base;
using Signpost.Engine.Search;

namespace Signpost.Engine.Cluster;

/// <summary>
/// One search of the coordinator: its shards, its calls, and what they brought. Pooled, so that a search allocates nothing; one thread
/// at a time. Shards and silos are named by their places in <see cref="Routes"/>.
/// </summary>
internal sealed class FanOut
{
    private readonly OpenShards _shards = new();
    private readonly Gathered _gathered = new();
    private readonly List<SiloGroup> _groups = []; // those beyond the count are for later calls
    private readonly List<SiloGroup> _stale = [];
    private int _groupCount;
    private int _sentCount;
    private Hit[] _target = [];
    private Hit[] _filtered = [];
    private Question _question;
    private Problem? _staleProblem;

    /// <summary>What is asked.</summary>
    public ref readonly Question Question => ref _question;

    /// <summary>The map that the search uses.</summary>
    public Routes Routes { get; private set; } = null!;

    /// <summary>Room for the answer of one silo, used by one silo after the other.</summary>
    public Memory<Hit> Target => _target;

    /// <summary>Shards that are to be asked of somebody.</summary>
    public ReadOnlySpan<int> Wanted => _shards.Wanted;

    /// <summary>Calls that have not ended.</summary>
    public List<SiloGroup> InFlight { get; } = [];

    /// <summary>Rings when one of them ends; null while there was none.</summary>
    public Bell? Bell { get; set; }

    /// <summary>Whether a silo said that it has not the codes that were asked for, and nobody has looked for a newer map since.</summary>
    public bool IsStale => _stale.Count > 0;

    /// <summary>Whether nothing more can come: every shard is answered or lost, or the request was refused.</summary>
    public bool IsSettled => _shards.AreSettled || _gathered.Refusal is not null;

    /// <summary>Whether nothing more can come, and shards are lost that another map may have elsewhere.</summary>
    public bool HasLost => _shards.AreSettled && _gathered.Refusal is null && !_shards.AreAnswered;

    /// <summary>Forgets everything and wants all shards of <paramref name="routes"/>.</summary>
    public void Restart(Routes routes, in Question question)
    {
        Check.That(InFlight.Count == 0);
        Routes = routes;
        _question = question;
        int k = Math.Max(0, question.Request.Parameters.K); // a shard will refuse a K below 1
        if (_target.Length < k)
        {
            (_target, _filtered) = (new Hit[k], new Hit[k]);
        }

        _shards.Restart(routes);
        _gathered.Restart(k);
        (_groupCount, _sentCount, _staleProblem) = (0, 0, null);
        _stale.Clear();
    }

    /// <summary>Adds to each silo the wanted shards for which it can be asked.</summary>
    public void CountWanted(Span<ReplicaChoice.Candidate> silos) => _shards.CountWanted(silos);

    /// <summary>Will ask the silo at <paramref name="place"/> for all wanted shards for which it can be asked.</summary>
    public void Give(int place)
    {
        if (_groupCount == _groups.Count)
        {
            _groups.Add(new SiloGroup());
        }

        SiloGroup group = _groups[_groupCount];
        group.Restart(Routes.Silos[place], place == Routes.Here);
        _shards.MoveWanted(place, group);
        _groupCount += group.Shards.IsEmpty ? 0 : 1;
    }

    /// <summary>The calls that were planned since this was last asked.</summary>
    public ReadOnlySpan<SiloGroup> TakePlanned()
    {
        ReadOnlySpan<SiloGroup> planned = CollectionsMarshal.AsSpan(_groups)[_sentCount.._groupCount];
        _sentCount = _groupCount;
        return planned;
    }

    /// <summary>A call is made.</summary>
    public void Begin(SiloGroup group)
    {
        foreach (int shard in group.Shards)
        {
            _shards.Begin(shard);
        }
    }

    /// <summary>Waits later for a call that has not ended.</summary>
    public void Postpone(SiloGroup group, SiloCall call)
    {
        group.Call = call;
        InFlight.Add(group);
    }

    /// <summary>Takes the answer to a call, for those of its shards that nobody has answered yet.</summary>
    /// <remarks>
    /// A silo merges its shards and cuts the list to the best k, so a list from which the hits of some shards are struck may be short.
    /// That loses nothing. Say the query's answer is the best k of the lists H(s) over all shards s, where H(s) is the same whichever
    /// replica is asked, and this silo answered the shards S. If a hit h of a shard u in S is in the answer, then fewer than k hits of all
    /// H(s) come before it, so fewer than k of those with s in S do, so h is in the silo's list; and the hits of the shards that are struck
    /// come from the answers that were first. Slots belong to one shard each, so no hit is taken twice.
    /// </remarks>
    public void Take(SiloGroup group, in ShardAnswer answer)
    {
        if (answer.Refusal is { } refusal)
        {
            Refuse(group, refusal);
            return;
        }

        int taken = 0;
        bool isOverlap = false;
        foreach (int shard in group.Shards)
        {
            _shards.End(shard);
            if (_shards.AnswerOf(shard) is not null)
            {
                isOverlap = true;
            }
            else if (answer.Missing is not null && Find(answer.Missing, Routes.Map.Shards[shard].Id) is { } missing)
            {
                Fail(group, shard, missing.Reason, isStale: false);
            }
            else
            {
                _shards.Answer(shard, group);
                _gathered.Count(Routes.Map.Shards[shard]);
                taken++;
            }
        }

        if (taken > 0)
        {
            _gathered.Add(isOverlap ? HitsTakenFrom(group, answer.Hits.Span) : answer.Hits.Span, answer.Stats);
        }
    }

    /// <summary>A call failed.</summary>
    public void Fail(SiloGroup group, string reason, bool isStale = false)
    {
        foreach (int shard in group.Shards)
        {
            _shards.End(shard);
            if (_shards.AnswerOf(shard) is null)
            {
                Fail(group, shard, reason, isStale);
            }
        }
    }

    /// <summary>There is no newer map, so the silos that were stale have failed; the query is stale only where no other replica is better.</summary>
    public void FailStale()
    {
        foreach (SiloGroup group in _stale)
        {
            Fail(group, _staleProblem!.ToString(), isStale: true);
        }

        _stale.Clear();
    }

    /// <summary>The time is over before all is settled.</summary>
    public void EndLate()
    {
        _gathered.EndLate();
        foreach (SiloGroup group in InFlight)
        {
            Note(group, "it did not answer by the deadline");
        }

        foreach (SiloGroup group in _stale)
        {
            Note(group, _staleProblem!.ToString());
        }
    }

    /// <summary>Whether nobody has answered some shard of a call.</summary>
    public bool IsOpen(SiloGroup group)
    {
        foreach (int shard in group.Shards)
        {
            if (_shards.AnswerOf(shard) is null)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether another silo can be asked for some open shard of a call.</summary>
    public bool HasOther(SiloGroup group)
    {
        foreach (int shard in group.Shards)
        {
            if (_shards.HasOther(shard))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Wants the open shards of a call from other silos too.</summary>
    public void WantOthers(SiloGroup group)
    {
        foreach (int shard in group.Shards)
        {
            _shards.Want(shard);
        }
    }

    /// <summary>The answer: hits to <paramref name="target"/>, or why the request is refused. Nothing is kept of the question.</summary>
    public Outcome<SearchAnswer> Finish(Span<Hit> target)
    {
        bool requireFull = _question.Request.RequireFull;
        _question = default;
        if (_staleProblem is not null && _shards.IsAnyStale())
        {
            _gathered.Refusal ??= _staleProblem;
        }

        return _gathered.Finish(Routes, requireFull, _shards, target);
    }

    private void Refuse(SiloGroup group, Problem refusal)
    {
        if (refusal.Code == ProblemCode.StaleVersion)
        {
            _staleProblem ??= refusal;
            _stale.Add(group);
        }
        else
        {
            _gathered.Refusal ??= refusal;
        }
    }

    private void Fail(SiloGroup group, int shard, string reason, bool isStale)
    {
        _gathered.Note(shard, group.Silo.Id, reason);
        _shards.Fail(shard, isStale);
    }

    private void Note(SiloGroup group, string failure)
    {
        foreach (int shard in group.Shards)
        {
            _gathered.Note(shard, group.Silo.Id, failure);
        }
    }

    private ReadOnlySpan<Hit> HitsTakenFrom(SiloGroup group, ReadOnlySpan<Hit> hits)
    {
        int count = 0;
        foreach (Hit hit in hits[..Math.Min(hits.Length, _filtered.Length)])
        {
            if (_shards.AnswerOf(Routes.Map.PlaceOf(hit.Id)) == group)
            {
                _filtered[count++] = hit;
            }
        }

        return _filtered.AsSpan(0, count);
    }

    private static MissingShard? Find(IReadOnlyList<MissingShard> all, ShardId shard)
    {
        foreach (MissingShard missing in all)
        {
            if (missing.Shard == shard)
            {
                return missing;
            }
        }

        return null;
    }
}
