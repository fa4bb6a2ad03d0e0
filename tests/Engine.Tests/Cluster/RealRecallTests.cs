using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>
/// Floors of recall@10 on real vectors, through everything that a user goes through: files, a built collection, its coordinator.
/// The seed fixes the graphs and codes, so that a figure moves only when the code does.
/// </summary>
public sealed class RealRecallTests
{
    private const int K = 10;

    [RealDataFact("siftsmall")]
    public void On_siftsmall_one_shard_finds_nearly_all() => ExpectOnSiftsmall(shards: 1);

    [RealDataFact("siftsmall")]
    public void On_siftsmall_four_shards_find_no_less() => ExpectOnSiftsmall(shards: 4);

    [RealDataFact("mnist")]
    public void On_pixels_of_784_dimensions()
    {
        using VectorBlock all = VectorFile.Open(RealData.Path("mnist/mnist_base.bvecs"));
        using VectorBlock queries = VectorFile.Open(RealData.Path("mnist/mnist_query.bvecs"));
        ExpectOfSlice(all, queries, Metric.L2, exactFloor: 0.99, codesFloor: 0.98);
    }

    [RealDataFact("doclsa")]
    public void On_text_by_cosine()
    {
        using VectorBlock all = VectorFile.Open(RealData.Path("doclsa/doclsa_base.fvecs"));
        using VectorBlock queries = VectorFile.Open(RealData.Path("doclsa/doclsa_query.fvecs"));
        ExpectOfSlice(all, queries, Metric.Cosine, exactFloor: 0.98, codesFloor: 0.96);
    }

    [RealDataFact("doclsa")]
    public void On_text_by_inner_product()
    {
        using VectorBlock all = VectorFile.Open(RealData.Path("doclsa/doclsa_base.fvecs"));
        using VectorBlock queries = VectorFile.Open(RealData.Path("doclsa/doclsa_query.fvecs"));
        ExpectOfSlice(all, queries, Metric.InnerProduct, exactFloor: 0.98, codesFloor: 0.96);
    }

    private static void ExpectOnSiftsmall(int shards)
    {
        using VectorBlock vectors = VectorFile.Open(RealData.Path("siftsmall/siftsmall_base.fvecs"));
        using VectorBlock queries = VectorFile.Open(RealData.Path("siftsmall/siftsmall_query.fvecs"));
        GroundTruth truth = GroundTruth.Open(RealData.Path("siftsmall/siftsmall_groundtruth.ivecs"));
        Expect(vectors, queries, truth, Metric.L2, shards, exactFloor: 0.99, codesFloor: 0.99);
    }

    /// <summary>Every sixth vector and some queries, with the truth computed here.</summary>
    private static void ExpectOfSlice(VectorBlock all, VectorBlock allQueries, Metric metric, double exactFloor, double codesFloor)
    {
        using VectorBlock vectors = all.Gather(Enumerable.Range(0, (int)(all.Count / 6)).Select(i => 6L * i).ToArray());
        using VectorBlock queries = allQueries.Gather(Enumerable.Range(0, 200).Select(i => 10L * i).ToArray());
        var nearest = new Neighbour[queries.Count * K];
        ExactSearch.TopK(vectors, queries, metric, K, new Work(2), nearest);
        Expect(vectors, queries, new GroundTruth(K, nearest.Select(n => n.Id).ToArray()), metric, 2, exactFloor, codesFloor);
    }

    private static void Expect(
        VectorBlock vectors, VectorBlock queries, GroundTruth truth, Metric metric, int shards, double exactFloor, double codesFloor)
    {
        string folder = Directory.CreateTempSubdirectory("signpost-recall-").FullName;
        try
        {
            var options = new BuildOptions
            {
                Name = "real",
                Shards = shards,
                Metric = metric,
                Quantizer = QuantizerKind.Pq,
                Codes = new QuantizerOptions { M = 32 },
            };
            CollectionBuilder.Build(FileDisk.Instance, folder, new BuildInput(vectors), options, new Work(2)).OrThrow();
            using Collection collection = Collection.Open(FileDisk.Instance, folder, new CollectionOptions(), Work.Quiet).OrThrow();
            double exact = Recall(collection, queries, truth, new SearchParameters(K, 64));
            double codes = Recall(collection, queries, truth, new SearchParameters(K, 96, SearchMode.CodesRerank));
            Assert.True(exact >= exactFloor, $"exact walk: recall {exact}");
            Assert.True(codes >= codesFloor, $"codes + re-rank: recall {codes}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Recall(Collection collection, VectorBlock queries, GroundTruth truth, SearchParameters parameters)
    {
        Coordinator coordinator = EmbeddedCluster.Over(collection);
        using Query query = collection.NewQuery();
        var hits = new Hit[K];
        var found = new uint[queries.Count * K];
        for (int q = 0; q < queries.Count; q++)
        {
            query.SetRow(queries.RowSpan(q));
            SearchAnswer answer = coordinator.Search(query, new SearchRequest(parameters, RequireFull: true), Deadline.None, hits).OrThrow();
            Assert.Equal(K, answer.Count);
            for (int i = 0; i < K; i++)
            {
                found[q * K + i] = (uint)hits[i].Id;
            }
        }

        return truth.Recall(found, K, K);
    }
}
