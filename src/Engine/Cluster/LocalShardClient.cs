using System.Collections.Concurrent;
using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Cluster;

/// <summary>
/// Asks the shards that are open in this process, by a method call on the caller's thread; a search allocates nothing. The embedded
/// runtime has no other client; elsewhere it is what stands at the far end of a call.
/// </summary>
/// <param name="silo">Name of this silo.</param>
/// <param name="collectionOf">The open collection of a name; null where there is none.</param>
/// <param name="codes">Prepares codes where collections are shared with other silos; null: they are made in the collection's folder.</param>
public sealed class LocalShardClient(string silo, Func<string, Collection?> collectionOf, ICodesOfTrainings? codes = null) : IShardClient
{
    private readonly ConcurrentBag<Scratch> _free = [];
    private readonly Lock _tracing = new(); // one shard at a time: a trace uses all threads of its work, and memory
    private readonly Dictionary<ShardId, ShardTracer> _tracers = [];

    /// <inheritdoc/>
    public string Here => silo;

    /// <summary>Queries of the shape of a collection, to be rented; null where it is not open.</summary>
    public QueryPool? QueriesOf(string collection) => collectionOf(collection)?.Queries;

    /// <inheritdoc/>
    public ValueTask<ShardAnswer> SearchAsync(SiloId silo, ShardQuery query, Deadline deadline, CancellationToken cancel)
    {
        if (!_free.TryTake(out Scratch? scratch))
        {
            scratch = new Scratch();
        }

        ShardAnswer answer = Search(query, deadline, scratch, cancel);
        _free.Add(scratch);
        return new ValueTask<ShardAnswer>(answer);
    }

    /// <inheritdoc/>
    public ValueTask<VectorBlock> SampleAsync(ReplicaId replica, int count, ulong seed, CancellationToken cancel)
    {
        using Snapshot snapshot = ShardOf(replica.Shard, cancel).Snapshot(0);
        return new ValueTask<VectorBlock>(snapshot.Sample(count, seed));
    }

    /// <inheritdoc/>
    public ValueTask<Outcome<ShardTrace>> TraceAsync(ReplicaId replica, TraceRequest request, Work work)
    {
        ShardId shard = replica.Shard;
        using Snapshot snapshot = ShardOf(shard, work.Cancel).Snapshot(0);
        Collection collection = CollectionOf(shard);
        long bytes = ShardTracer.BytesFor(request, snapshot.Count, collection.Manifest.Dim);
        if (collection.CheckMemory(bytes, "Give it more memory, or train with fewer training queries.") is { } problem)
        {
            return new ValueTask<Outcome<ShardTrace>>(problem);
        }

        lock (_tracing)
        {
            if (!_tracers.TryGetValue(shard, out ShardTracer? tracer) || !tracer.Serves(request))
            {
                EndTraces(shard);
                _tracers[shard] = tracer = new ShardTracer(snapshot.View, request, work);
            }

            return new ValueTask<Outcome<ShardTrace>>(tracer.Trace(snapshot.View, request, work));
        }
    }

    /// <inheritdoc/>
    public ValueTask EndTracesAsync(ReplicaId replica, CancellationToken cancel)
    {
        lock (_tracing)
        {
            EndTraces(replica.Shard);
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<Outcome<string>> PrepareCodesAsync(ReplicaId replica, string quantizerFile, Work work)
    {
        work.Cancel.ThrowIfCancellationRequested();
        return new ValueTask<Outcome<string>>(
            codes?.PrepareCodes(replica.Shard, quantizerFile, work) ?? CollectionOf(replica.Shard).MakeCodes(replica.Shard.Number, quantizerFile, work));
    }

    /// <inheritdoc/>
    public ValueTask DropCodesAsync(ReplicaId replica, uint codesVersion, CancellationToken cancel)
    {
        Shard shard = ShardOf(replica.Shard, cancel);
        if (codes is null)
        {
            shard.DropCodes(codesVersion);
        }
        else
        {
            codes.DropCodes(replica.Shard, codesVersion);
        }

        return ValueTask.CompletedTask;
    }

    private void EndTraces(ShardId shard)
    {
        if (_tracers.Remove(shard, out ShardTracer? tracer))
        {
            tracer.Dispose();
        }
    }

    private ShardAnswer Search(in ShardQuery query, Deadline deadline, Scratch scratch, CancellationToken cancel)
    {
        SearchStats sum = default;
        List<MissingShard>? missing = null;
        List<ShardWork>? work = null;
        int k = Math.Max(0, query.Parameters.K); // a shard will refuse what is below 1
        ReadOnlySpan<ShardSlots> asked = query.Shards.Span;
        scratch.Restart(k, asked.Length);
        for (int i = 0; i < asked.Length; i++)
        {
            try
            {
                scratch.Groups.Add(i, ShardOf(new ShardId(query.Collection, asked[i].Number), cancel));
            }
            catch (IOException e)
            {
                (missing ??= []).Add(new MissingShard(new ShardId(query.Collection, asked[i].Number), e.Message)); // closed or moved since the map was made
            }
        }

        for (int i = 0; i < asked.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            if (scratch.Groups.Take(i, asked) is not { } open)
            {
                continue;
            }

            if (deadline.Reached)
            {
                sum.DeadlineReached = true;
                AddMissing(query, scratch.Groups.Members, MissingShard.Late, ref missing);
                continue;
            }

            try
            {
                using Snapshot snapshot = open.Snapshot(query.CodesVersion);
                if (snapshot.Validate(query.Query, query.Parameters) is { } problem)
                {
                    return new ShardAnswer(default, default, null, problem);
                }

                var told = ShardTold.Begin(query.Watch, new ShardId(query.Collection, asked[scratch.Groups.Members[0]].Number));
                int count = snapshot.Search(query.Query, query.Parameters, scratch.Groups.Slots, deadline, scratch.Room, out SearchStats stats);
                told.End(stats, ref work);
                scratch.Best.Add(scratch.Room.AsSpan(0, count), Slots.All);
                sum.Add(stats);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                AddMissing(query, scratch.Groups.Members, e.Message, ref missing);
            }
        }

        ReadOnlySpan<Hit> best = scratch.Best.Best;
        best.CopyTo(query.Target.Span);
        return new ShardAnswer(query.Target[..best.Length], sum, missing, null, work);
    }

    private static void AddMissing(in ShardQuery query, ReadOnlySpan<int> places, string reason, ref List<MissingShard>? missing)
    {
        foreach (int place in places)
        {
            (missing ??= []).Add(new MissingShard(new ShardId(query.Collection, query.Shards.Span[place].Number), reason));
        }
    }

    private Collection CollectionOf(ShardId shard) =>
        collectionOf(shard.Collection) ?? throw new IOException($"{silo} has no shard of collection {shard.Collection} open");

    private Shard ShardOf(ShardId shard, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        return CollectionOf(shard).ShardOf(shard.Number);
    }

    /// <summary>What one search needs beside the shards' own scratch.</summary>
    private sealed class Scratch
    {
        public TopK Best { get; } = new();

        public SegmentGroups Groups { get; } = new();

        public Hit[] Room { get; private set; } = [];

        public void Restart(int k, int shards)
        {
            Best.Restart(k);
            Groups.Restart(shards);
            if (Room.Length < k)
            {
                Room = new Hit[k];
            }
        }
    }
}
