using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Shards;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>A small collection with PQ codes in several shards, and trainings of it.</summary>
public abstract class TrainingTest : ShardTest
{
    protected const int Count = 400;

    protected static readonly QuantizerMethod Opq = new VectorQuantizerMethod(
        QuantizerKind.Opq, new QuantizerOptions { M = 3, K = 16, TrainingVectors = 256, Iterations = 3, Rotations = 2 });

    protected static readonly QuantizerMethod Pq = new VectorQuantizerMethod(
        QuantizerKind.Pq, new QuantizerOptions { M = 6, K = 16, TrainingVectors = 256, Iterations = 3, Seed = 5 });

    internal VectorBlock Vectors { get; } = Bytes(Count);

    public override void Dispose()
    {
        Vectors.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    protected CollectionManifest Build(int shards, bool withCodes = true) => Build(Vectors, WithCodes(shards, withCodes));

    protected static BuildOptions WithCodes(int shards, bool withCodes = true) => Options(shards) with
    {
        Quantizer = withCodes ? QuantizerKind.Pq : null,
        Codes = new QuantizerOptions { M = 4, K = 16, TrainingVectors = 256, Iterations = 2 },
    };

    internal EmbeddedCluster ClusterOf(Collection collection) => new(Disk, Folder, collection);

    /// <summary>Trains as a process of its own does: opens the collection, trains, closes it.</summary>
    protected Outcome<TrainingResult> Train(QuantizerMethod method, IDisk? disk = null, Work? work = null)
    {
        using Collection collection = Open();
        EmbeddedCluster cluster = ClusterOf(collection);
        // The shard's own writes go through the same disk as the job's.
        using Collection writing = disk is null ? Open() : Collection.Open(disk, Folder, new CollectionOptions(), Work.Quiet).OrThrow();
        return TrainingJob.RunAsync(disk ?? Disk, Folder, cluster.State, EmbeddedCluster.ClientOf(writing), method, work ?? Work.Quiet)
            .GetAwaiter().GetResult();
    }

    /// <summary>Trains where the collection is open already.</summary>
    internal Outcome<TrainingResult> Train(EmbeddedCluster cluster, QuantizerMethod method, Work? work = null) =>
        TrainingJob.RunAsync(Disk, Folder, cluster.State, cluster.Client, method, work ?? Work.Quiet).GetAwaiter().GetResult();

    /// <summary>Answers of every 40th vector's neighbours on codes, by a collection opened anew: what its files say.</summary>
    protected Hit[][] Answers(int l = Count)
    {
        using Collection collection = Open(new CollectionOptions { RequireAll = true });
        EmbeddedCluster cluster = ClusterOf(collection);
        return [.. Enumerable.Range(0, 10).Select(i => Answer(cluster.Coordinator, collection, i * 40, l))];
    }

    internal Hit[] Answer(Coordinator coordinator, Collection collection, int row, int l = Count)
    {
        using Query query = collection.NewQuery();
        query.SetRow(Vectors.RowSpan(row));
        var hits = new Hit[10];
        SearchAnswer answer = coordinator
            .Search(query, new SearchRequest(new SearchParameters(10, l, SearchMode.Codes), RequireFull: true), Deadline.None, hits).OrThrow();
        return hits[..answer.Count];
    }
}
