using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Vectors;

namespace Signpost.Silo.Compare;

/// <summary>What a method may learn from: the vectors and the graphs of a collection, which is open and stays so.</summary>
internal sealed class TrainingSet : IDisposable
{
    private const long MostForError = 10_000;

    private readonly OpenCollection _collection;
    private readonly VectorBlock? _gathered;

    /// <summary>Looks at <paramref name="collection"/>, all of whose shards are open.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="most">Most vectors that are gathered of several shards.</param>
    /// <param name="seed">Which.</param>
    public TrainingSet(OpenCollection collection, int most, ulong seed)
    {
        _collection = collection;
        Metric = collection.Metric;
        foreach (CollectionShard shard in collection.Shards.Shards)
        {
            using Snapshot snapshot = shard.Shard!.Snapshot(0);
            Shards.Add(snapshot.View);
        }

        Vectors = Shards.Count == 1 ? Shards[0].Vectors : _gathered = Gather(most, seed);
    }

    /// <summary>Metric of the collection.</summary>
    public Metric Metric { get; }

    /// <summary>Vectors and graph of every shard.</summary>
    public List<SegmentView> Shards { get; } = [];

    /// <summary>All vectors of the only shard, or some of each of several, in the proportion of their sizes.</summary>
    public VectorBlock Vectors { get; }

    /// <summary>Those of <see cref="Vectors"/> that the error of codes is measured over.</summary>
    public VectorBlock ErrorSample => Vectors.Slice(0, Math.Min(Vectors.Count, MostForError));

    /// <summary>Learns by <paramref name="method"/>, from vectors and graphs as a training would; nothing is kept of it.</summary>
    public Made Learn(QuantizerMethod method, Work work)
    {
        LearnedQuantizer learned = _collection.Learn(method, Vectors, work);
        return new Made(learned.Quantizer, learned.Rpq);
    }

    /// <inheritdoc/>
    public void Dispose() => _gathered?.Dispose();

    /// <summary>One vector of each of equally long pieces of a shard, which piece of which shard makes no difference to how likely one is.</summary>
    private VectorBlock Gather(int most, ulong seed)
    {
        long total = Shards.Sum(shard => shard.Vectors.Count);
        double step = Math.Max(1, (double)total / most);
        VectorBlock first = Shards[0].Vectors;
        VectorBlock all = VectorBlock.Allocate(Shards.Sum(shard => (long)(shard.Vectors.Count / step)), first.Dim, first.Type);
        long target = 0;
        for (int i = 0; i < Shards.Count; i++)
        {
            var random = new Seeded(seed, (ulong)i);
            VectorBlock vectors = Shards[i].Vectors;
            long count = (long)(vectors.Count / step);
            for (long j = 0; j < count; j++)
            {
                long row = (long)((j + (step > 1 ? random.NextDouble() : 0)) * step);
                vectors.RowSpan(Math.Min(row, vectors.Count - 1)).CopyTo(RowOf(all, target++));
            }
        }

        return all;
    }

    private static unsafe Span<byte> RowOf(VectorBlock block, long row) => new(block.Row(row), block.RowBytes);
}
