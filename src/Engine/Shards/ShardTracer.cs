using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Storage;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Shards;

/// <summary>
/// What a shard keeps while RPQ is learned: its training and held-out queries, and what the latter are judged by. Not thread-safe.
/// </summary>
internal sealed unsafe class ShardTracer : IDisposable
{
    private readonly TraceRequest _request;
    private readonly QuerySet _training;
    private readonly QuerySet _heldOut;
    private readonly RoutingEvaluation _evaluation;
    private readonly bool[] _isHeldOut;

    /// <summary>Draws the queries of <paramref name="request"/> and prepares to judge codes by the held-out ones.</summary>
    public ShardTracer(in SegmentView shard, TraceRequest request, Work work)
    {
        _request = request;
        (_training, _heldOut) = QueryChoice.OfShard(
            shard.Vectors, request.TrainingQueries, request.HeldOutQueries, request.Sampling.Seed, request.Place);
        _isHeldOut = new bool[shard.Vectors.Count];
        foreach (uint own in _heldOut.Own)
        {
            _isHeldOut[own] = true;
        }

        _evaluation = RoutingEvaluation.Prepare([shard], [_heldOut], request.Sampling, work);
    }

    /// <summary>Bytes that answering <paramref name="request"/> takes, at most, beside the shard.</summary>
    public static long BytesFor(TraceRequest request, long vectors, int dim)
    {
        long walks = (long)request.TrainingQueries * request.Sampling.HopsPerQuery * request.Sampling.CandidatesPerHop;
        long judged = (long)request.HeldOutQueries * request.Sampling.HopsPerQuery * (request.Sampling.Top + request.Sampling.New);
        long rows = request.TrainingQueries + Math.Min(vectors, walks) + Math.Min(vectors, judged);
        return (vectors * request.Quantizer.CodeBytes) + (rows * dim * sizeof(float)) + (9 * (walks + judged));
    }

    /// <summary>Whether this serves <paramref name="request"/> as well.</summary>
    public bool Serves(TraceRequest request) => _request.HasQueriesOf(request);

    /// <summary>Encodes the shard, walks it and scores its codes.</summary>
    /// <param name="shard">As it was when this was made; its codes are not looked at.</param>
    /// <param name="request">One that this serves.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    public ShardTrace Trace(in SegmentView shard, TraceRequest request, Work work)
    {
        IQuantizer quantizer = request.Quantizer;
        Check.That(Serves(request) && shard.Vectors.Count == _isHeldOut.Length && quantizer.Dim == shard.Vectors.Dim);
        using var codes = new AlignedBuffer(shard.Vectors.Count * quantizer.CodeBytes);
        Encode(shard, quantizer, codes, work);
        var view = new SegmentView
        {
            Vectors = shard.Vectors,
            Metric = shard.Metric,
            Graph = shard.Graph,
            Codes = codes.Pointer,
            Quantizer = quantizer,
        };
        double recall = _evaluation.Recall([view], request.ScoreL, work);
        var score = new RoutingScore(recall, _evaluation.NextHop([view], work).Agreement);
        if (!request.WithSample)
        {
            return new ShardTrace(null, [], score);
        }

        SamplingOptions sampling = request.Sampling with { Seed = Seeded.Mix(request.Sampling.Seed + request.Round) };
        RoutingSample sample = RoutingSampler.Sample(view, _training, sampling, work);
        return new ShardTrace(sample, CodesOf(sample, codes, quantizer.CodeBytes), score);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _training.Dispose();
        _heldOut.Dispose();
    }

    /// <summary>With codes fitted to neighbours that are not held out: these judge, so nothing may be learned from where they are.</summary>
    private void Encode(in SegmentView shard, IQuantizer quantizer, AlignedBuffer codes, Work work)
    {
        Graph graph = shard.Graph;
        byte* target = codes.Pointer;
        CodesSink sink = (block, bytes) =>
        {
            Buffer.MemoryCopy(block, target, bytes, bytes);
            target += bytes;
        };
        ShardEncoder.Encode(shard.Vectors, graph, Seen, quantizer, sink, work);

        int Seen(uint vertex, Span<uint> ids)
        {
            int kept = 0;
            foreach (uint id in ids[..graph.Neighbours(vertex, ids)])
            {
                if (!_isHeldOut[id])
                {
                    ids[kept++] = id;
                }
            }

            return kept;
        }
    }

    private static byte[] CodesOf(RoutingSample sample, AlignedBuffer codes, int codeBytes)
    {
        var chosen = new byte[(long)sample.VertexCount * codeBytes];
        for (int i = 0; i < sample.VertexCount; i++)
        {
            new ReadOnlySpan<byte>(codes.Pointer + ((long)sample.Vertices[i] * codeBytes), codeBytes).CopyTo(chosen.AsSpan(i * codeBytes));
        }

        return chosen;
    }
}
