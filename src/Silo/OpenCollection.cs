using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;
using Signpost.Silo.Eval;
using Signpost.Silo.Http;

namespace Signpost.Silo;

/// <summary>A collection that is open for search in this process, behind its coordinator. Thread-safe.</summary>
internal sealed class OpenCollection : IServedCollection, ISearchable, IDisposable
{
    private readonly Collection _collection;
    private readonly EmbeddedCluster _cluster;
    private volatile BuildFacts _facts;

    private OpenCollection(string folder, Collection collection, IClusterState? state)
    {
        Folder = folder;
        _collection = collection;
        _cluster = new EmbeddedCluster(FileDisk.Instance, folder, collection, state);
        _facts = BuildFactsOf(collection);
    }

    /// <summary>Where it is.</summary>
    public string Folder { get; }

    /// <summary>How it was built, and its codes.</summary>
    public BuildFacts Facts => _facts;

    /// <summary>Type of its vectors' components.</summary>
    public ElementType Type => _collection.Info.Type;

    /// <summary>Its metric.</summary>
    public Metric Metric => _collection.Info.Metric;

    /// <summary>Components of a vector.</summary>
    public int Dim => _collection.Info.Dim;

    /// <summary>Bytes of a vector.</summary>
    public int RowBytes => Dim * Type.Bytes();

    /// <summary>Whether it can be walked on codes.</summary>
    public bool HasCodes => _collection.Quantizer is not null;

    /// <summary>Who holds what of it.</summary>
    public ShardMap Map => _cluster.Coordinator.Map;

    /// <summary>Its shards.</summary>
    public Collection Shards => _collection;

    /// <inheritdoc/>
    public string Name => Facts.Collection;

    /// <inheritdoc cref="IServedCollection.Quantizer"/>
    public string Quantizer => Facts.Quantizer;

    /// <inheritdoc/>
    public SegmentMemory Memory => _collection.Info.Memory;

    /// <inheritdoc/>
    double IServedCollection.ResidentBytesPerVector => ResidentBytesPerVector(HasCodes ? SearchMode.CodesRerank : SearchMode.Exact);

    /// <inheritdoc/>
    int? ISearchable.M => Facts.M;

    /// <summary>Shards that could not be opened, and why.</summary>
    public IEnumerable<string> Missing => _collection.Shards.Where(s => s.Shard is null).Select(s => $"shard {s.Entry.Id}: {s.Reason}");

    /// <summary>Opens the collection of <paramref name="folder"/>.</summary>
    /// <param name="folder">Folder with a manifest.</param>
    /// <param name="vectors">Where full vectors shall be.</param>
    /// <param name="requireAll">Whether a damaged shard fails the opening (a command), or is left out (a server).</param>
    /// <param name="work">Progress and cancellation.</param>
    /// <param name="state">Keeps its map, beside those of others; null: a state of its own.</param>
    public static OpenCollection Open(string folder, VectorPlace vectors, bool requireAll, Work work, IClusterState? state = null)
    {
        var options = new CollectionOptions
        {
            Vectors = vectors == VectorPlace.Loaded ? Residency.Loaded : Residency.Mapped,
            RequireAll = requireAll,
        };
        Collection collection = Collection.Open(FileDisk.Instance, folder, options, work).OrThrow();
        string name = collection.Manifest.Name;
        if (state?.ReadAsync(name, CancellationToken.None).GetAwaiter().GetResult() is not null)
        {
            collection.Dispose();
            throw new ProblemException(new Problem(
                ProblemCode.AlreadyExists, $"collection of {folder}", name, "a name that no other collection has", "Serve one of the two."));
        }

        return new OpenCollection(folder, collection, state);
    }

    /// <summary>Queries of this collection's shape, to be rented.</summary>
    public QueryPool Queries => _collection.Queries;

    /// <summary>A query of this collection's shape, for one thread.</summary>
    public Query NewQuery() => _collection.NewQuery();

    /// <summary>Why this collection cannot be searched like that; null when it can.</summary>
    public Problem? Validate(in SearchParameters parameters) => Searcher.Validate(HasCodes, parameters);

    /// <summary>The nearest vectors, on the caller's thread, to the front of <paramref name="target"/>.</summary>
    public Outcome<SearchAnswer> Search(Query query, in SearchRequest request, Deadline deadline, Memory<Hit> target) =>
        _cluster.Coordinator.Search(query, request, deadline, target);

    /// <summary>The same where the answer may come later, from other silos: then it does not wait.</summary>
    public ValueTask<Outcome<SearchAnswer>> SearchAsync(Query query, in SearchRequest request, Deadline deadline, Memory<Hit> target) =>
        _cluster.Coordinator.SearchAsync(query, request, deadline, target, CancellationToken.None);

    /// <summary>Learns new codes and turns to them; searches of this and of other processes go on.</summary>
    public Outcome<TrainingResult> Train(QuantizerMethod method, Work work)
    {
        Outcome<TrainingResult> result = TrainingJob.RunAsync(FileDisk.Instance, Folder, _cluster.State, _cluster.Client, method, work).GetAwaiter().GetResult();
        return result.Problem is null && Refresh(work).Problem is { } problem ? problem : result;
    }

    /// <summary>Learns from <paramref name="sample"/> and its graphs without a trace: nothing is kept of it, no checkpoint either.</summary>
    public LearnedQuantizer Learn(QuantizerMethod method, VectorBlock sample, Work work)
    {
        var input = new TrainingInput
        {
            Manifest = _collection.Manifest,
            Map = EmbeddedCluster.MapOf(_collection),
            Client = _cluster.Client,
            Sample = sample,
            Version = 1,
            Identity = method.Fingerprint,
            Checkpoints = new NoCheckpoints(),
            Work = work,
        };
        return method.TrainAsync(input).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Turns to the codes that its folder has now; whether something changed, or why it could not and all is as it was.</summary>
    public Outcome<bool> Refresh(Work work)
    {
        Outcome<bool> changed = _cluster.Refresh(work);
        if (changed.Value)
        {
            _facts = BuildFactsOf(_collection);
        }

        return changed;
    }

    /// <inheritdoc/>
    public double ResidentBytesPerVector(SearchMode mode)
    {
        SegmentMemory memory = _collection.Info.Memory;
        long bytes = memory.Graph + memory.Ids
            + (mode == SearchMode.Exact ? 0 : memory.Codes)
            + (mode == SearchMode.Codes ? 0 : memory.VectorsLoaded);
        return memory.Count == 0 ? 0 : (double)bytes / memory.Count;
    }

    /// <inheritdoc/>
    public double MappedBytesPerVector(SearchMode mode) => mode == SearchMode.Codes ? 0 : _collection.Info.MappedBytesPerVector;

    /// <inheritdoc/>
    public IThreadSearch NewThread() => new ThreadSearch(this);

    /// <inheritdoc/>
    public void Dispose() => _collection.Dispose();

    private static BuildFacts BuildFactsOf(Collection collection)
    {
        CollectionInfo info = collection.Info;
        BuildInfo build = collection.Manifest.Build;
        return new BuildFacts
        {
            Collection = info.Name,
            Vectors = info.Vectors,
            Dim = info.Dim,
            ElementType = info.Type.Word(),
            Metric = info.Metric.Word(),
            Shards = info.Shards,
            R = info.R,
            L = build.L,
            C = build.C,
            Quantizer = info.Codes is null ? "none" : info.Codes.Kind.ToString().ToLowerInvariant(),
            M = info.Codes?.M,
            Codewords = info.Codes?.K,
            CodesVersion = info.Codes?.Version,
            Seed = (long)build.Seed,
            BuildSeconds = collection.Manifest.Cost?.Seconds,
            BuildCpuSeconds = collection.Manifest.Cost?.CpuSeconds,
        };
    }

    private sealed class NoCheckpoints : ICheckpointStore
    {
        public byte[]? Load() => null;

        public void Save(byte[] bytes)
        {
        }
    }

    private sealed class ThreadSearch(OpenCollection collection) : IThreadSearch
    {
        private readonly Query _query = collection.NewQuery();

        public int Search(ReadOnlySpan<byte> row, in SearchParameters parameters, Hit[] hits, out SearchStats stats)
        {
            _query.SetRow(row);
            SearchAnswer answer = collection.Search(_query, new SearchRequest(parameters), Deadline.None, hits).OrThrow();
            stats = answer.Stats;
            return answer.Count;
        }

        public void Dispose() => _query.Dispose();
    }
}
