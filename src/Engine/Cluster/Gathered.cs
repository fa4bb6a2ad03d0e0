using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;

namespace Signpost.Engine.Cluster;

/// <summary>What one search has found so far, and what has failed. Pooled with its <see cref="FanOut"/>.</summary>
internal sealed class Gathered
{
    private readonly TopK _best = new();
    private readonly List<(int Shard, SiloId Silo, string Reason)> _failures = [];
    private SearchStats _stats;
    private int _shards;
    private long _vectors;

    /// <summary>Why the request is refused; null while it is not.</summary>
    public Problem? Refusal { get; set; }

    /// <summary>Forgets everything and will keep the best <paramref name="k"/> hits.</summary>
    public void Restart(int k)
    {
        _best.Restart(k);
        _failures.Clear();
        (_shards, _vectors, _stats, Refusal) = (0, 0, default, null);
    }

    /// <summary>A shard has part in the answer.</summary>
    public void Count(ShardEntry shard)
    {
        _shards++;
        _vectors += shard.Vectors;
    }

    /// <summary>Takes the hits of such shards, ascending.</summary>
    public void Add(ReadOnlySpan<Hit> hits, in SearchStats stats)
    {
        _best.Add(hits, Slots.All);
        _stats.Add(stats);
    }

    /// <summary>The search has ended before all was answered.</summary>
    public void EndLate() => _stats.DeadlineReached = true;

    /// <summary>A call for the shard at <paramref name="shard"/> has failed.</summary>
    public void Note(int shard, SiloId silo, string reason) => _failures.Add((shard, silo, reason));

    /// <summary>The answer: hits to <paramref name="target"/>, or why the request is refused.</summary>
    /// <param name="routes">The map that was used.</param>
    /// <param name="requireFull">Whether it is refused where not all shards have part in it.</param>
    /// <param name="shards">Which shards have part in it.</param>
    /// <param name="target">Room for k hits.</param>
    public Outcome<SearchAnswer> Finish(Routes routes, bool requireFull, OpenShards shards, Span<Hit> target)
    {
        if (Refusal is not null)
        {
            return Refusal;
        }

        var coverage = new Coverage(_shards, routes.Map.Shards.Length, _vectors, routes.Map.Vectors);
        MissingShard[] missing = coverage.IsFull ? [] : WhyMissing(routes, shards);
        if (requireFull && !coverage.IsFull)
        {
            string reasons = string.Join("; ", missing.Select(m => $"{m.Shard}: {m.Reason}"));
            return new Problem(
                ProblemCode.IncompleteCoverage, "coverage", $"{coverage} ({reasons})", "all of both",
                "Mend the shards, give more time, or accept partial answers.");
        }

        _best.Best.CopyTo(target);
        return new SearchAnswer(_best.Best.Length, coverage, _stats, missing);
    }

    private MissingShard[] WhyMissing(Routes routes, OpenShards shards) => [.. Enumerable.Range(0, routes.Map.Shards.Length)
        .Where(shard => shards.AnswerOf(shard) is null).Select(shard => WhyMissing(routes, shard)).OrderBy(m => m.Shard.Number)];

    private MissingShard WhyMissing(Routes routes, int shard)
    {
        ShardEntry entry = routes.Map.Shards[shard];
        (int Shard, SiloId Silo, string Reason)[] failures = [.. _failures.Where(failure => failure.Shard == shard)];
        string reason = failures.Length switch
        {
            0 => routes.ReplicasOf(shard).IsEmpty ? entry.WhyNotServing : MissingShard.Late,
            1 => failures[0].Reason,
            _ => string.Join("; ", failures.Select(failure => $"{failure.Silo.Name}: {failure.Reason}")),
        };
        return new MissingShard(entry.Id, reason);
    }
}
