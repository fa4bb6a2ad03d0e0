using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Cluster;

/// <summary>Asks the shards of <paramref name="collection"/> by a method call, on the caller's thread; a search allocates nothing.</summary>
public sealed class EmbeddedShardClient(Collection collection) : IShardClient
{
    private readonly Lock _tracing = new(); // one shard at a time: a trace uses all threads of its work, and memory
    private readonly Dictionary<ShardId, ShardTracer> _tracers = [];

    /// <inheritdoc/>
    public ValueTask<ShardAnswer> SearchAsync(ShardId shard, ShardQuery query, Deadline deadline, CancellationToken cancel)
    {
        using Snapshot snapshot = Open(shard, cancel).Snapshot(query.CodesVersion);
        if (snapshot.Validate(query.Query, query.Parameters) is { } problem)
        {
            return new ValueTask<ShardAnswer>(new ShardAnswer(default, default, problem));
        }

        int count = snapshot.Search(query.Query, query.Parameters, deadline, query.Target.Span, out SearchStats stats);
        return new ValueTask<ShardAnswer>(new ShardAnswer(query.Target[..count], stats));
    }

    /// <inheritdoc/>
    public ValueTask<VectorBlock> SampleAsync(ShardId shard, int count, ulong seed, CancellationToken cancel)
    {
        using Snapshot snapshot = Open(shard, cancel).Snapshot(0);
        return new ValueTask<VectorBlock>(snapshot.Sample(count, seed));
    }

    /// <inheritdoc/>
    public ValueTask<Outcome<ShardTrace>> TraceAsync(ShardId shard, TraceRequest request, Work work)
    {
        using Snapshot snapshot = Open(shard, work.Cancel).Snapshot(0);
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
    public ValueTask EndTracesAsync(ShardId shard, CancellationToken cancel)
    {
        lock (_tracing)
        {
            EndTraces(shard);
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<Outcome<string>> PrepareCodesAsync(ShardId shard, string quantizerFile, Work work)
    {
        Open(shard, work.Cancel);
        return new ValueTask<Outcome<string>>(collection.MakeCodes(shard.Number, quantizerFile, work));
    }

    /// <inheritdoc/>
    public ValueTask DropCodesAsync(ShardId shard, uint codesVersion, CancellationToken cancel)
    {
        Open(shard, cancel).DropCodes(codesVersion);
        return ValueTask.CompletedTask;
    }

    private void EndTraces(ShardId shard)
    {
        if (_tracers.Remove(shard, out ShardTracer? tracer))
        {
            tracer.Dispose();
        }
    }

    private Shard Open(ShardId shard, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        Check.That(shard.Collection == collection.Manifest.Name);
        return collection.ShardOf(shard.Number);
    }
}
