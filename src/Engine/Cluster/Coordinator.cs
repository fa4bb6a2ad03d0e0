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
/// A query uses one version of the shard map from its beginning to its end, and so codes of one version; whatever is asked twice is
/// asked by the same map. Slots belong to one shard of a map, so no id is returned twice while slots move. Of the replicas of a shard
/// one is asked (<see cref="ReplicaChoice"/>): the local one, or one of a silo with little to do, so that few silos are asked. A silo
/// is asked once for all its shards. Local shards are searched on the caller's thread, after the calls over the network are out.
///
/// What can go wrong is decided here, once, for every runtime. A shard whose replica fails, or is not where the map says, is asked of
/// the replicas that were not asked yet, one after the other. A silo that is silent for longer than 95 % of its calls were is hedged:
/// its shards are asked of others as well, and the first answer counts (<see cref="FanOut.Take"/>). Hedges are limited to a tenth of the
/// calls (<see cref="HedgeBudget"/>), for in a cluster that is slow from too much work they would make more of it. But a silo that is
/// silent for a quarter of the time left, or a second, is hedged in any case, since it may be frozen, and one living replica of each
/// shard must be enough to answer. Silos that fail or are silent are avoided for a while (<see cref="SiloLoad"/>).
///
/// All that ends at the deadline, whatever a client does about it. A shard that has not answered by then, or has no replica left, is
/// left out, which fails nothing: the caller gets what the others found, and coverage says how much of the collection that is, because
/// a partial answer is worth more than none only to somebody who knows that it is partial. Who needs all or nothing sets RequireFull.
/// Bad input is different: every shard would refuse it alike, so the first refusal is the answer.
///
/// A replica that has not the codes which the map names has been trained anew since, or is ahead of this map, or lags behind. Codes are
/// dropped only after the map that does without them is written, so in the first two cases there is a newer map: what was found is
/// thrown away and the query begins again with it. Every beginning needs another training to have ended meanwhile: one is enough in
/// practice, and the deadline ends the rest. Without a newer map the replica has failed like any other; only where no other has the
/// codes either, the query is refused as stale. In the same way a query that has lost a shard begins again where a newer map is in use by
/// then: silos close what was moved or replaced some time after the map has said so.
///
/// A search of the embedded runtime is a method call of a few ten microseconds per shard, and a task would be half of its cost. So
/// answers that are there when the call returns are merged at once, and with an embedded client everything happens on the caller's
/// thread and nothing is allocated. Only where calls are still out, a loop waits for whatever comes first: the end of a call, the time
/// to hedge one, or the deadline. Calls that nobody needs any more are cancelled. They may end at any later time: the port's contract
/// (<see cref="IShardClient"/>) keeps them from touching the query or the memory for hits by then, so both go back to their pools
/// without waiting for them, and their late failure is nobody's.
/// </remarks>
public sealed class Coordinator
{
    private readonly SiloCalls _calls;
    private readonly IShardClient _client;
    private readonly IClusterState? _state;
    private readonly TimeProvider _time;
    private readonly ConcurrentBag<FanOut> _free = [];
    private readonly Lock _change = new();
    private volatile Routes _routes;

    /// <summary>A coordinator of the collection of <paramref name="map"/> that asks through <paramref name="client"/>. Thread-safe.</summary>
    /// <param name="map">The first map.</param>
    /// <param name="client">Asks shards.</param>
    /// <param name="state">Where newer maps are found when one turns out to be old; null: only <see cref="Use"/> brings newer ones.</param>
    /// <param name="localQueue">How many searches wait in this process for a thread; null: none ever do.</param>
    /// <param name="time">The clock of latencies and timers; null: the system's.</param>
    public Coordinator(
        ShardMap map, IShardClient client, IClusterState? state = null, Func<int>? localQueue = null, TimeProvider? time = null)
    {
        _client = client;
        _state = state;
        _time = time ?? TimeProvider.System;
        _calls = new SiloCalls(client, _time, localQueue);
        _routes = new Routes(map, client.Here, null);
    }

    /// <summary>The shard map that the next search will use.</summary>
    public ShardMap Map => _routes.Map;

    /// <summary>Calls that were made so far because another call was silent for long.</summary>
    public long Hedges => _calls.Hedges;

    /// <summary>Calls that were made so far because another call failed.</summary>
    public long Retries => _calls.Retries;

    /// <summary>Calls so far that failed, or had not ended when the deadline of their query was reached.</summary>
    public long Failures => _calls.Failures;

    /// <summary>Uses <paramref name="map"/> from the next search on, unless it is older than the one in use.</summary>
    public void Use(ShardMap map)
    {
        Check.That(map.Collection == Map.Collection);
        lock (_change)
        {
            if (map.Version > Map.Version)
            {
                _routes = new Routes(map, _client.Here, _routes);
            }
        }
    }

    /// <summary>Uses every newer map of <paramref name="state"/> until cancelled.</summary>
    public async Task FollowAsync(IClusterState state, CancellationToken cancel)
    {
        await foreach (ShardMap map in state.WatchAsync(Map.Collection, cancel).ConfigureAwait(false))
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
        cancel.ThrowIfCancellationRequested();
        if (!_free.TryTake(out FanOut? fan))
        {
            fan = new FanOut();
        }

        fan.Restart(_routes, new Question(query, request, deadline, cancel));
        try
        {
            _calls.AskWanted(fan, AskKind.First);
        }
        catch
        {
            _calls.GiveUp(fan);
            throw;
        }

        return fan.IsSettled && !MayBeginAgain(fan) ? new ValueTask<Outcome<SearchAnswer>>(Finish(fan, target)) : FinishAsync(fan, target);
    }

    private async ValueTask<Outcome<SearchAnswer>> FinishAsync(FanOut fan, Memory<Hit> target)
    {
        Deadline deadline = fan.Question.Deadline;
        CancellationToken cancel = fan.Question.Cancel;
        try
        {
            while ((!fan.IsSettled || MayBeginAgain(fan)) && !deadline.Reached)
            {
                if (fan.IsSettled)
                {
                    BeginAgain(fan);
                    continue;
                }

                if (!fan.IsStale)
                {
                    _calls.HedgeSilent(fan);
                    if (fan.IsSettled || fan.IsStale)
                    {
                        continue;
                    }

                    await _calls.WaitAsync(fan).ConfigureAwait(false);
                    cancel.ThrowIfCancellationRequested();
                    _calls.TakeEnded(fan);
                }
                else if (await HasNewerAsync(fan.Routes.Map, deadline, cancel).ConfigureAwait(false))
                {
                    BeginAgain(fan);
                    continue;
                }
                else
                {
                    fan.FailStale();
                }

                _calls.AskWanted(fan, AskKind.Retry);
            }

            if (!fan.IsSettled)
            {
                _calls.GiveUpLate(fan);
            }
        }
        catch
        {
            _calls.GiveUp(fan);
            throw;
        }

        return Finish(fan, target);
    }

    private bool MayBeginAgain(FanOut fan) => fan.HasLost && Map.Version > fan.Routes.Map.Version;

    private void BeginAgain(FanOut fan)
    {
        _calls.GiveUp(fan);
        fan.Restart(_routes, fan.Question);
        _calls.AskWanted(fan, AskKind.First);
    }

    private Outcome<SearchAnswer> Finish(FanOut fan, Memory<Hit> target)
    {
        _calls.GiveUp(fan); // those that nobody needs
        Outcome<SearchAnswer> answer = fan.Finish(target.Span);
        _free.Add(fan);
        return answer;
    }

    /// <summary>Whether a newer map than <paramref name="old"/> is in use now. That nobody can say so in time is not the query's fault.</summary>
    private async ValueTask<bool> HasNewerAsync(ShardMap old, Deadline deadline, CancellationToken cancel)
    {
        if (Map.Version == old.Version && _state is not null)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Cancel);
            try
            {
                Task<ShardMap?> read = _state.ReadAsync(old.Collection, stop.Token).AsTask();
                _ = read.ContinueWith(late => _ = late.Exception, TaskScheduler.Default); // looked at whenever it fails, so never "unobserved"
                Use(await read.WaitAsync(SiloCall.PatienceOf(deadline.Left), _time, stop.Token).ConfigureAwait(false) ?? old);
            }
            catch (Exception)
            {
                stop.Cancel();
                cancel.ThrowIfCancellationRequested();
            }
        }

        return Map.Version > old.Version;
    }
}
