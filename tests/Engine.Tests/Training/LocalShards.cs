using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Training;

/// <summary>Small shards with real graphs, asked by a method call.</summary>
internal sealed class LocalShards : IRoutingSource, IDisposable
{
    private readonly SmallCollection[] _shards;
    private readonly ShardTracer?[] _tracers;

    public LocalShards(params int[] sizes)
        : this(Metric.L2, sizes)
    {
    }

    public LocalShards(Metric metric, params int[] sizes)
    {
        _shards = [.. sizes.Select((size, i) => new SmallCollection(Sets.Clustered(size, Dim, ElementType.Float32, (ulong)(40 + i)), metric))];
        _tracers = new ShardTracer?[sizes.Length];
        Sizes = [.. sizes.Select(size => (long)size)];
    }

    public const int Dim = 24;

    public IReadOnlyList<long> Sizes { get; }

    /// <summary>Requests so far.</summary>
    public List<TraceRequest> Requests { get; } = [];

    public IReadOnlyList<SegmentView> Views => [.. _shards.Select(shard => shard.View)];

    public ValueTask<ShardTrace> TraceAsync(int shard, TraceRequest request, Work work)
    {
        Requests.Add(request);
        ShardTracer? tracer = _tracers[shard];
        if (tracer is null || !tracer.Serves(request))
        {
            tracer?.Dispose();
            _tracers[shard] = tracer = new ShardTracer(_shards[shard].View, request, work);
        }

        return new ValueTask<ShardTrace>(tracer.Trace(_shards[shard].View, request, work));
    }

    public void Dispose()
    {
        Array.ForEach(_tracers, tracer => tracer?.Dispose());
        Array.ForEach(_shards, shard => shard.Dispose());
    }
}

/// <summary>A checkpoint in memory.</summary>
internal sealed class MemoryCheckpoint : ICheckpointStore
{
    public byte[]? Bytes { get; set; }

    public int Saves { get; private set; }

    public byte[]? Load() => Bytes;

    public void Save(byte[] bytes)
    {
        Bytes = bytes;
        Saves++;
    }
}
