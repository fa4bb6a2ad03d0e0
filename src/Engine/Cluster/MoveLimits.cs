namespace Signpost.Engine.Cluster;

/// <summary>The copies that a shard has, in silos that are there.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="Serving">Names of the silos that have it open.</param>
/// <param name="Opening">Names of those that are opening it.</param>
/// <param name="Failed">Names of those that could not open it, and will try again.</param>
internal sealed record ShardCopies(ShardId Shard, IReadOnlyList<string> Serving, IReadOnlyList<string> Opening, IReadOnlyList<string> Failed);

/// <summary>Which changes of a plan begin now: a function of its arguments alone, so that any leader decides alike.</summary>
/// <remarks>
/// A copy is missing where a shard has fewer than are wanted, those included that are on their way: all missing ones begin at once. Any other new
/// copy is a move, made for the sake of balance or of a silo that drains. Of moves a shard has one at a time, and a silo gets a few at
/// a time, none while as many missing copies are on their way to it. A shard whose move waits keeps what it has.
/// </remarks>
internal static class MoveLimits
{
    /// <summary>What each shard is to have now, on the way to <paramref name="plan"/>.</summary>
    /// <param name="plan">The silos that each shard is to have in the end.</param>
    /// <param name="shards">What there is, each shard of the plan once; earlier ones begin earlier.</param>
    /// <param name="replicas">Copies wanted of every shard.</param>
    /// <param name="movesMax">Copies that may be on their way to a silo before no further move to it begins, at least 1.</param>
    public static Dictionary<ShardId, IReadOnlyList<string>> Begin(
        IReadOnlyDictionary<ShardId, IReadOnlyList<string>> plan, IReadOnlyList<ShardCopies> shards, int replicas, int movesMax)
    {
        var arriving = new Dictionary<string, int>(); // at each silo
        var waiting = new List<(ShardCopies Copies, List<string> Absent, bool IsMoving)>();
        foreach (ShardCopies copies in shards)
        {
            IReadOnlyList<string> wanted = plan[copies.Shard];
            string[] coming = [.. copies.Opening.Where(wanted.Contains)];
            int have = copies.Serving.Count + coming.Length + copies.Failed.Count(wanted.Contains);
            List<string> absent = [.. wanted.Where(silo => !copies.Serving.Contains(silo) && !coming.Contains(silo) && !copies.Failed.Contains(silo))];
            string[] missing = [.. absent.Take(Math.Max(0, Math.Min(replicas, wanted.Count) - have))];
            absent.RemoveRange(0, missing.Length);
            foreach (string silo in coming.Concat(missing))
            {
                arriving[silo] = arriving.GetValueOrDefault(silo) + 1;
            }

            waiting.Add((copies, absent, coming.Length + missing.Length > 0));
        }

        var begun = new Dictionary<ShardId, IReadOnlyList<string>>(shards.Count);
        foreach ((ShardCopies copies, List<string> absent, bool isMoving) in waiting)
        {
            int next = isMoving ? -1 : absent.FindIndex(silo => arriving.GetValueOrDefault(silo) < movesMax);
            if (next >= 0)
            {
                arriving[absent[next]] = arriving.GetValueOrDefault(absent[next]) + 1;
                absent.RemoveAt(next);
            }

            IReadOnlyList<string> wanted = plan[copies.Shard];
            begun[copies.Shard] = absent.Count == 0 ? wanted : [.. wanted.Except(absent).Union(copies.Serving)];
        }

        return begun;
    }
}
