using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>How a silo of a <see cref="ScriptedCluster"/> answers a call.</summary>
/// <param name="After">When; null: before the call returns.</param>
/// <param name="Failure">What it fails with; null: it does not.</param>
/// <param name="Missing">Shards that it has not.</param>
/// <param name="Refusal">Why it refuses; null: it does not.</param>
internal sealed record Reply(TimeSpan? After = null, string? Failure = null, int[]? Missing = null, Problem? Refusal = null)
{
    public static readonly Reply AtOnce = new();
    public static readonly Reply Never = new(Timeout.InfiniteTimeSpan);

    public static Reply In(double ms) => new(TimeSpan.FromMilliseconds(ms));

    public static Reply FailsIn(double ms) => new(TimeSpan.FromMilliseconds(ms), "no connection");
}

/// <summary>A call that a <see cref="ScriptedCluster"/> got.</summary>
internal sealed record ScriptedCall(string Silo, int[] Shards, TimeSpan At)
{
    /// <summary>When it was cancelled; null while it was not.</summary>
    public TimeSpan? CancelledAt { get; set; }

    public bool HasEnded { get; set; }

    public override string ToString() => $"{Silo}: {string.Join(' ', Shards)}";
}

/// <summary>What a search gave.</summary>
internal sealed record Answered(Outcome<SearchAnswer> Outcome, Hit[] Hits, TimeSpan Took)
{
    public SearchAnswer Value => Outcome.OrThrow();
}

/// <summary>
/// Silos with equal replicas of shards of 400 ids, that answer each call as a script says, on a clock that the test moves. All runs on
/// one thread, in an order that is the same every time.
/// </summary>
internal sealed class ScriptedCluster : IShardClient, IDisposable
{
    private const int Ids = 400;
    private readonly Query _query = new(1, ElementType.Float32, Metric.L2);
    private readonly (Hit Hit, int Shard)[] _hits; // of all shards, in order
    private readonly SynchronizationContext? _context = SynchronizationContext.Current;
    private string? _wrongCall;

    /// <summary>A cluster of shards whose replicas are in the silos of <paramref name="replicas"/>, for example "a b".</summary>
    public ScriptedCluster(params string[] replicas)
    {
        SynchronizationContext.SetSynchronizationContext(null); // else what is awaited would go on elsewhere
        Map = TestMaps.MapOfSilos(replicas.Length);
        Map = new ShardMap(Map.Collection, 1, [.. Map.Shards.Select((shard, i) => shard with
        {
            Replicas = [.. replicas[i].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(silo => new Replica(silo, ReplicaState.Serving))],
        })]);
        _hits = [.. Enumerable.Range(0, Ids).Select(id => new Hit((ulong)id, id * 37 % 101)).Order().Select(hit => (hit, Map.ShardOf(hit.Id).Id.Number))];
    }

    public ManualTime Time { get; } = new();

    public ShardMap Map { get; }

    public string? Here { get; init; }

    /// <summary>How a call is answered.</summary>
    public Func<ScriptedCall, Reply> Script { get; set; } = _ => Reply.AtOnce;

    /// <summary>All calls so far.</summary>
    public List<ScriptedCall> Calls { get; } = [];

    /// <summary>The calls as text, and no others from now on.</summary>
    public string[] TakeCalls()
    {
        string[] calls = [.. Calls.Select(call => call.ToString())];
        Calls.Clear();
        return calls;
    }

    public Coordinator NewCoordinator(IClusterState? state = null, Func<int>? localQueue = null) => new(Map, this, state, localQueue, Time);

    /// <summary>The best <paramref name="k"/> of all shards but some, as sorting gives them.</summary>
    public Hit[] Nearest(int k, params int[] without) => [.. _hits.Where(hit => !without.Contains(hit.Shard)).Select(hit => hit.Hit).Take(k)];

    /// <summary>Searches, and lets as much time pass as that takes.</summary>
    public Answered Ask(Coordinator coordinator, TimeSpan timeout, int k = 10, bool requireFull = false, CallReports? report = null) =>
        Finish(Start(coordinator, Deadline.After(timeout, Time), k, requireFull, report));

    /// <summary>Lets as much time pass as <paramref name="search"/> takes.</summary>
    public Answered Finish(Task<Answered> search)
    {
        while (!search.IsCompleted)
        {
            Assert.True(Time.Next(), "the search waits for nothing");
        }

        Assert.Null(_wrongCall);
        return search.GetAwaiter().GetResult();
    }

    /// <summary>Begins to search.</summary>
    public async Task<Answered> Start(Coordinator coordinator, Deadline deadline, int k = 10, bool requireFull = false, CallReports? report = null)
    {
        TimeSpan start = Time.Now;
        var hits = new Hit[k];
        Outcome<SearchAnswer> outcome = await coordinator.SearchAsync(
            _query, new SearchRequest(new SearchParameters(k, k), requireFull, report), deadline, hits, default).ConfigureAwait(false);
        return new Answered(outcome, hits[..outcome.Value.Count], Time.Now - start);
    }

    public ValueTask<ShardAnswer> SearchAsync(SiloId silo, ShardQuery query, Deadline deadline, CancellationToken cancel)
    {
        var call = new ScriptedCall(silo.Name, [.. query.Shards.ToArray().Select(shard => shard.Number)], Time.Now);
        Calls.Add(call);
        if (call.Shards.Length == 0 || call.Shards.Distinct().Count() < call.Shards.Length
            || !call.Shards.All(shard => Map.Shards[shard].Serving.Any(replica => replica.Silo == silo)))
        {
            _wrongCall ??= call.ToString(); // thrown here, it would be one more failure of a silo
        }

        Reply reply = Script(call);
        if (reply.After is not { } delay)
        {
            call.HasEnded = true;
            return new ValueTask<ShardAnswer>(AnswerOf(call, query.Parameters.K, reply));
        }

        var answer = new TaskCompletionSource<ShardAnswer>();
        cancel.Register(() =>
        {
            call.CancelledAt ??= answer.TrySetCanceled(cancel) ? Time.Now : null;
        });
        if (delay != Timeout.InfiniteTimeSpan)
        {
            Time.After(delay, () => End(answer, call, query.Parameters.K, reply));
        }

        return new ValueTask<ShardAnswer>(answer.Task);
    }

    public void Dispose()
    {
        SynchronizationContext.SetSynchronizationContext(_context);
        _query.Dispose();
    }

    public ValueTask<VectorBlock> SampleAsync(ReplicaId replica, int count, ulong seed, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<Outcome<string>> PrepareCodesAsync(ReplicaId replica, string quantizerFile, Work work) => throw new NotSupportedException();

    public ValueTask<Outcome<ShardTrace>> TraceAsync(ReplicaId replica, TraceRequest request, Work work) => throw new NotSupportedException();

    public ValueTask EndTracesAsync(ReplicaId replica, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask DropCodesAsync(ReplicaId replica, uint codesVersion, CancellationToken cancel) => throw new NotSupportedException();

    private void End(TaskCompletionSource<ShardAnswer> answer, ScriptedCall call, int k, Reply reply)
    {
        call.HasEnded = true;
        ShardAnswer value;
        try
        {
            value = AnswerOf(call, k, reply);
        }
        catch (IOException e)
        {
            answer.TrySetException(e);
            return;
        }

        answer.TrySetResult(value);
    }

    private ShardAnswer AnswerOf(ScriptedCall call, int k, Reply reply)
    {
        if (reply.Failure is not null)
        {
            throw new IOException(reply.Failure);
        }

        int[] missing = [.. call.Shards.Intersect(reply.Missing ?? [])];
        return reply.Refusal is not null
            ? new ShardAnswer(default, default, null, reply.Refusal)
            : new ShardAnswer(
                Nearest(k, [.. Enumerable.Range(0, Map.Shards.Length).Except(call.Shards.Except(missing))]), new SearchStats { Hops = call.Shards.Length - missing.Length },
                missing.Length == 0 ? null : [.. missing.Select(number => new MissingShard(new ShardId(Map.Collection, number), "it moved"))]);
    }
}
