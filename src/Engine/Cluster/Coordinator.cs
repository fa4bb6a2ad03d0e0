using System.Collections.Concurrent;
using Signpost.Engine.Base;
using Signpost.Engine.Search;

namespace Signpost.Engine.Cluster;

/// <summary>Answers a query over all shards of a collection, wherever they are.</summary>
/// <remarks>
/// A collection is cut by the hash of the id, so the neighbours of a query may be in any shard and every shard is asked. Each gives
/// its own best k; since the quantizer is shared by all shards, their distances can be compared, and the best k of these lists are
/// the best k of all. Lists are merged in the total order (distance, id), so the answer does not depend on who answered first.
///
/// What can go wrong is decided here, once, for every runtime. A shard that nobody serves is not asked; one whose call fails is
/// left out; one that is silent until the deadline is left out, whatever its client does about the deadline. None of these fails
/// the query: the caller gets what the others found, and coverage says how much of the collection that is, because a partial
/// answer is worth more than none only to somebody who knows that it is partial. Who needs all or nothing sets RequireFull. Bad
/// input is different: every shard would refuse it alike, so the first refusal is the answer.
///
/// Shards move while they are searched. A query uses one version of the shard map from its beginning to its end. During a move two
/// shards may hold the same vector; a hit counts only from the shard whose slots it belongs to, so that no id is returned twice
/// and nobody has to remember the ids seen. If a shard has gone to another silo since the map was made, its call fails, and the
/// reason tells it; the next query has the new map.
///
/// The map also says which quantizer's codes a query uses, so a query never compares distances of two versions. A shard that has
/// not that version says so: it has been trained anew since, or is ahead of this map. What the others found is then thrown away, and
/// the query begins again with the newest map; codes are dropped only after the map that does without them is written, so the
/// newest map is newer than the one that failed. It begins again only with a newer map, so every beginning needs another training
/// to have ended meanwhile: one is enough in practice, and the deadline ends the rest.
///
/// A search of the embedded runtime is a method call, and at a few ten microseconds per shard a task per shard would be half of
/// its cost. So this class asks in a plain loop and merges at once what has ended when the call returns; only calls that have not
/// are awaited, all together, until the deadline. With an embedded client everything happens on the caller's thread and nothing is
/// allocated. Shards are then searched one after the other, which is what a loaded machine wants: its cores are kept busy by
/// other queries. Remote calls run side by side by their nature.
///
/// A call that was given up may end at any later time. The port's contract (<see cref="IShardClient"/>) keeps it from touching the
/// query or the memory for hits by then, so both go back to their pools without waiting for it, and its late failure is nobody's.
/// </remarks>
public sealed class Coordinator
{
    /// <summary>Longest wait that a timer of .NET can do, rounded down.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(49);

    private readonly IShardClient _client;
    private readonly IClusterState? _state;
    private readonly ConcurrentBag<FanOut> _free = [];
    private volatile ShardMap _map;

    /// <summary>A coordinator of the collection of <paramref name="map"/> that asks through <paramref name="client"/>. Thread-safe.</summary>
    /// <param name="map">The first map.</param>
    /// <param name="client">Asks shards.</param>
    /// <param name="state">Where newer maps are found when one turns out to be old; null: only <see cref="Use"/> brings newer ones.</param>
    public Coordinator(ShardMap map, IShardClient client, IClusterState? state = null)
    {
        _map = map;
        _client = client;
        _state = state;
    }

    /// <summary>The shard map that the next search will use.</summary>
    public ShardMap Map => _map;

    /// <summary>Uses <paramref name="map"/> from the next search on, unless it is older than the one in use.</summary>
    public void Use(ShardMap map)
    {
        Check.That(map.Collection == _map.Collection);
        ShardMap seen = _map;
        while (map.Version > seen.Version)
        {
            ShardMap before = Interlocked.CompareExchange(ref _map, map, seen);
            if (ReferenceEquals(before, seen))
            {
                return;
            }

            seen = before;
        }
    }

    /// <summary>Uses every newer map of <paramref name="state"/> until cancelled.</summary>
    public async Task FollowAsync(IClusterState state, CancellationToken cancel)
    {
        await foreach (ShardMap map in state.WatchAsync(_map.Collection, cancel).ConfigureAwait(false))
        {
            Use(map);
        }
    }

    /// <summary>
    /// As <see cref="SearchAsync"/>, for callers that have a thread to give: an embedded search runs on it from beginning to end
    /// and allocates nothing; for remote shards it waits.
    /// </summary>
    public Outcome<SearchAnswer> Search(Query query, in SearchRequest request, Deadline deadline, Memory<Hit> target)
    {
        ValueTask<Outcome<SearchAnswer>> search = SearchAsync(query, request, deadline, target, CancellationToken.None);
        return search.IsCompleted ? search.GetAwaiter().GetResult() : search.AsTask().GetAwaiter().GetResult();
    }

    /// <summary>The nearest vectors of the collection, ascending by (distance, id), to the front of <paramref name="target"/>.</summary>
    /// <param name="query">Bound to a vector; the caller's again when this has ended.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="deadline">Then the answer is given with what there is.</param>
    /// <param name="target">At least K long.</param>
    /// <param name="cancel">Then nobody wants the answer: <see cref="OperationCanceledException"/>.</param>
    /// <returns>The answer; or why it was refused: bad input, or a coverage that is less than required.</returns>
    public ValueTask<Outcome<SearchAnswer>> SearchAsync(
        Query query, in SearchRequest request, Deadline deadline, Memory<Hit> target, CancellationToken cancel)
    {
        Check.That(target.Length >= request.Parameters.K);
        if (!_free.TryTake(out FanOut? fan))
        {
            fan = new FanOut();
        }

        AskAll(fan, _map, query, request, deadline, cancel);
        if (fan.Pending is not null || fan.IsStale)
        {
            return FinishAsync(fan, query, request, deadline, target, cancel);
        }

        Outcome<SearchAnswer> answer = fan.Finish(request.RequireFull, target.Span);
        _free.Add(fan);
        return new ValueTask<Outcome<SearchAnswer>>(answer);
    }

    /// <summary>Asks one replica of every shard: one call for each silo, those over the network first, so that they work meanwhile.</summary>
    private void AskAll(FanOut fan, ShardMap map, Query query, in SearchRequest request, Deadline deadline, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        fan.Restart(map, Math.Max(0, request.Parameters.K)); // a shard will refuse a K below 1
        foreach (ShardEntry shard in map.Shards)
        {
            if (shard.FirstServing is { } replica)
            {
                fan.Plan(shard, replica.Id);
            }
            else
            {
                fan.Miss(shard.Id, shard.WhyNotServing);
            }
        }

        foreach (SiloGroup group in fan.Groups)
        {
            if (group.Silo.Name != _client.Here)
            {
                Ask(fan, group, query, request, deadline, cancel);
            }
        }

        foreach (SiloGroup group in fan.Groups)
        {
            if (group.Silo.Name == _client.Here)
            {
                Ask(fan, group, query, request, deadline, cancel);
            }
        }
    }

    private void Ask(FanOut fan, SiloGroup group, Query query, in SearchRequest request, Deadline deadline, CancellationToken cancel)
    {
        if (deadline.Reached)
        {
            fan.MissLate(group, MissingShard.Late);
            return;
        }

        try
        {
            var asked = new ShardQuery(fan.Map.Collection, group.Shards, query, request.Parameters, fan.Map.CodesVersion, fan.Target);
            ValueTask<ShardAnswer> call = _client.SearchAsync(group.Silo, asked, deadline, cancel);
            if (call.IsCompleted)
            {
                fan.Take(group, call.GetAwaiter().GetResult());
            }
            else
            {
                fan.Postpone(group, call.AsTask());
            }
        }
        catch (Exception e)
        {
            cancel.ThrowIfCancellationRequested();
            fan.Miss(group, e.Message);
        }
    }

    private async ValueTask<Outcome<SearchAnswer>> FinishAsync(
        FanOut fan, Query query, SearchRequest request, Deadline deadline, Memory<Hit> target, CancellationToken cancel)
    {
        while (true)
        {
            if (fan.Pending is not null)
            {
                await AwaitPendingAsync(fan, deadline, cancel).ConfigureAwait(false);
            }

            if (!fan.IsStale || !await HasNewerAsync(fan.Map, cancel).ConfigureAwait(false))
            {
                break;
            }

            AskAll(fan, _map, query, request, deadline, cancel);
        }

        Outcome<SearchAnswer> answer = fan.Finish(request.RequireFull, target.Span);
        _free.Add(fan);
        return answer;
    }

    /// <summary>Whether a newer map than <paramref name="old"/> is in use now.</summary>
    private async ValueTask<bool> HasNewerAsync(ShardMap old, CancellationToken cancel)
    {
        if (_map.Version == old.Version && _state is not null
            && await _state.ReadAsync(old.Collection, cancel).ConfigureAwait(false) is { } newest)
        {
            Use(newest);
        }

        return _map.Version > old.Version;
    }

    private static async Task AwaitPendingAsync(FanOut fan, Deadline deadline, CancellationToken cancel)
    {
        List<(SiloGroup Group, Task<ShardAnswer> Call)> pending = fan.Pending!;
        Task<ShardAnswer[]> all = Task.WhenAll(pending.Select(p => p.Call));
        _ = all.ContinueWith(late => _ = late.Exception, TaskScheduler.Default); // looked at whenever it fails, so never "unobserved"
        await WaitAsync(all, deadline, cancel).ConfigureAwait(false);
        foreach ((SiloGroup group, Task<ShardAnswer> call) in pending)
        {
            if (call.IsCompletedSuccessfully)
            {
                fan.Take(group, call.Result);
            }
            else if (call.IsCompleted)
            {
                fan.Miss(group, call.Exception?.InnerException?.Message ?? "its call was cancelled");
            }
            else
            {
                fan.MissLate(group, "it did not answer by the deadline");
            }
        }
    }

    /// <summary>Returns when <paramref name="calls"/> have ended, well or not, or the deadline is reached.</summary>
    private static async Task WaitAsync(Task calls, Deadline deadline, CancellationToken cancel)
    {
        TimeSpan left = deadline.Left is { } time && time < LongestWait ? time : LongestWait;
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Cancel);
        await calls.WaitAsync(left, both.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancel.ThrowIfCancellationRequested();
    }
}
