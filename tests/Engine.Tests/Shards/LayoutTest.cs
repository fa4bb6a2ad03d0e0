using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Shards;

/// <summary>A small collection, and changes of its shards.</summary>
public abstract class LayoutTest : ShardTest
{
    protected const int Count = 600;

    internal VectorBlock Vectors { get; } = Bytes(Count);

    public override void Dispose()
    {
        Vectors.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    protected CollectionManifest Build(int shards, bool withCodes = true) => Build(Vectors, Options(shards) with
    {
        Quantizer = withCodes ? QuantizerKind.Pq : null,
        Codes = new QuantizerOptions { M = 4, K = 16, TrainingVectors = 256, Iterations = 2 },
    });

    protected Outcome<LayoutResult> Change(Func<CollectionManifest, Outcome<LayoutChange?>> choose, IDisk? disk = null, Work? work = null) =>
        LayoutJob.Run(disk ?? Disk, Folder, choose, long.MaxValue, null, work ?? Work.Quiet);

    protected LayoutResult Split(int shard, int? at = null) => Change(m => Nullable(LayoutChange.Split(m, shard, at))).OrThrow();

    protected LayoutResult Merge(int one, int other) => Change(m => Nullable(LayoutChange.Merge(m, one, other))).OrThrow();

    protected LayoutResult Compact() => Change(m => new Outcome<LayoutChange?>(LayoutChange.Compact(m), null)).OrThrow();

    protected CollectionManifest Manifest => ManifestFile.Open(Disk, Folder).OrThrow();

    protected static Outcome<LayoutChange?> Nullable(Outcome<LayoutChange> change) => new(change.Value, change.Problem);

    /// <summary>The vector of a row as a query.</summary>
    internal Query QueryOf(Collection collection, int row)
    {
        Query query = collection.NewQuery();
        query.SetRow(Vectors.RowSpan(row));
        return query;
    }

    /// <summary>The nearest vectors to that of a row, over all shards; fails unless all of them answer.</summary>
    internal Hit[] Ask(Coordinator coordinator, Collection collection, int row, SearchParameters parameters)
    {
        using Query query = QueryOf(collection, row);
        var hits = new Hit[parameters.K];
        SearchAnswer answer = coordinator.Search(query, new SearchRequest(parameters, RequireFull: true), Deadline.None, hits).OrThrow();
        return hits[..answer.Count];
    }

    /// <summary>What the files answer: every 20th row, opened anew.</summary>
    internal Hit[][] Answers(SearchParameters parameters)
    {
        using Collection collection = Open(new CollectionOptions { RequireAll = true });
        Coordinator coordinator = EmbeddedCluster.Over(collection);
        return [.. Enumerable.Range(0, Count / 20).Select(i => Ask(coordinator, collection, i * 20, parameters))];
    }

    /// <summary>Ids of every shard by its number, found by an exact search for all of them in its slots alone.</summary>
    internal Dictionary<int, ulong[]> IdsByShard()
    {
        using Collection collection = Open(new CollectionOptions { RequireAll = true });
        LocalShardClient client = EmbeddedCluster.ClientOf(collection);
        using Query query = QueryOf(collection, 0);
        return collection.Shards.ToDictionary(shard => shard.Entry.Id, shard =>
        {
            var asked = new ShardQuery(
                "test", new[] { new ShardSlots(shard.Entry.Id, shard.Slots) }, query, new SearchParameters(Count, Count, SearchMode.Exact), 0, new Hit[Count]);
            return client.SearchAsync(new SiloId("local", 0), asked, Deadline.None, default).Result.Hits.ToArray().Select(hit => hit.Id).ToArray();
        });
    }
}
