using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Silo.Eval;

namespace Signpost.Silo.Compare;

/// <summary>
/// The graphs of an open collection, walked on codes that are made in memory, or on exact distances where there is no coder. The
/// collection's folder is only read. Thread-safe; the collection outlives it.
/// </summary>
internal sealed unsafe class CodedShards : ISearchable, IDisposable
{
    /// <summary>Version of snapshots without codes of their own.</summary>
    private const uint NoCodes = 0;

    private readonly OpenCollection _collection;
    private readonly ITableCoder? _coder;
    private readonly List<AlignedBuffer> _codes = []; // by shard

    /// <summary>Encodes every vector of <paramref name="collection"/>, all of whose shards are open.</summary>
    public CodedShards(OpenCollection collection, string quantizer, ITableCoder? coder, Work work)
    {
        _collection = collection;
        Quantizer = quantizer;
        _coder = coder;
        try
        {
            foreach (CollectionShard shard in coder is null ? [] : collection.Shards.Shards)
            {
                using Snapshot snapshot = shard.Shard!.Snapshot(NoCodes);
                _codes.Add(Encode(snapshot.View, coder!, work));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Quantizer { get; }

    /// <inheritdoc/>
    public int? M => (_coder as IQuantizer)?.M;

    /// <summary>Every shard with its codes, which are those of a quantizer; valid while this is.</summary>
    public IReadOnlyList<SegmentView> Views =>
    [
        .. _collection.Shards.Shards.Select((shard, i) =>
        {
            using Snapshot snapshot = shard.Shard!.Snapshot(NoCodes);
            return snapshot.View with { Codes = _codes[i].Pointer, Quantizer = (IQuantizer)_coder! };
        }),
    ];

    /// <inheritdoc/>
    public double ResidentBytesPerVector(SearchMode mode)
    {
        SegmentMemory memory = _collection.Shards.Info.Memory;
        long bytes = memory.Graph + memory.Ids
            + (mode == SearchMode.Exact ? 0 : _codes.Sum(codes => codes.Length))
            + (mode == SearchMode.Codes ? 0 : memory.VectorsLoaded);
        return memory.Count == 0 ? 0 : (double)bytes / memory.Count;
    }

    /// <inheritdoc/>
    public double MappedBytesPerVector(SearchMode mode) => _collection.MappedBytesPerVector(mode);

    /// <inheritdoc/>
    public IThreadSearch NewThread() => new ThreadSearch(this);

    /// <inheritdoc/>
    public void Dispose() => _codes.ForEach(codes => codes.Dispose());

    private static AlignedBuffer Encode(SegmentView view, ITableCoder coder, Work work)
    {
        var codes = new AlignedBuffer(view.Vectors.Count * coder.CodeBytes);
        try
        {
            long done = 0;
            ShardEncoder.Encode(view.Vectors, view.Graph, coder, (block, bytes) =>
            {
                Buffer.MemoryCopy(block, codes.Pointer + done, codes.Length - done, bytes);
                done += bytes;
            }, work);
            return codes;
        }
        catch
        {
            codes.Dispose();
            throw;
        }
    }

    private sealed class ThreadSearch(CodedShards owner) : IThreadSearch
    {
        private readonly Query _query = owner._collection.NewQuery();
        private readonly TopK _best = new();

        public int Search(ReadOnlySpan<byte> row, in SearchParameters parameters, Hit[] hits, out SearchStats stats)
        {
            stats = default;
            _query.SetRow(row);
            _best.Restart(parameters.K);
            IReadOnlyList<CollectionShard> shards = owner._collection.Shards.Shards;
            for (int i = 0; i < shards.Count; i++)
            {
                using Snapshot snapshot = shards[i].Shard!.Snapshot(NoCodes);
                SegmentView view = owner._coder is null
                    ? snapshot.View
                    : snapshot.View with { Codes = owner._codes[i].Pointer, Coder = owner._coder };
                int count = snapshot.Search(view, _query, parameters, Deadline.None, hits, out SearchStats own);
                stats.Add(own);
                _best.Add(hits.AsSpan(0, count), shards[i].Slots);
            }

            _best.Best.CopyTo(hits);
            return _best.Best.Length;
        }

        public void Dispose() => _query.Dispose();
    }
}
