using Signpost.Engine.Base;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Vectors;

public class RealDataTests
{
    [RealDataFact("siftsmall", "mnist", "doclsa", "photosift1m")]
    public void Every_set_opens_with_the_shape_that_its_description_says()
    {
        AssertSet("siftsmall", ".fvecs", 10_000, 100, 128, ElementType.Float32);
        AssertSet("doclsa", ".fvecs", 60_000, 5_000, 128, ElementType.Float32);
        AssertSet("mnist", ".bvecs", 60_000, 10_000, 784, ElementType.UInt8);
        AssertSet("photosift1m", ".bvecs", 1_000_000, 10_000, 128, ElementType.UInt8);
    }

    [RealDataFact("siftsmall", "doclsa")]
    public void The_sets_are_whole()
    {
        foreach (string name in new[] { "siftsmall/siftsmall_base.fvecs", "siftsmall/siftsmall_query.fvecs", "doclsa/doclsa_query.fvecs" })
        {
            string path = RealData.Path(name);
            Assert.Equal(VectorFile.Inspect(path), VectorFile.Verify(path, Work.Quiet));
        }
    }

    [RealDataFact("siftsmall")]
    public void The_official_ground_truth_of_siftsmall_is_what_distances_say()
    {
        using VectorBlock rows = VectorFile.Open(RealData.Path("siftsmall/siftsmall_base.fvecs"));
        using VectorBlock queries = VectorFile.Open(RealData.Path("siftsmall/siftsmall_query.fvecs"));
        GroundTruth truth = GroundTruth.Open(RealData.Path("siftsmall/siftsmall_groundtruth.ivecs"));
        foreach (int query in new[] { 0, 1, 57, 99 })
        {
            float[] x = new float[queries.Dim];
            float[] y = new float[rows.Dim];
            queries.CopyRow(query, x);
            double[] distances = new double[rows.Count];
            for (int row = 0; row < distances.Length; row++)
            {
                rows.CopyRow(row, y);
                distances[row] = x.Zip(y, (a, b) => (double)(a - b) * (a - b)).Sum();
            }

            double[] sorted = [.. distances.Order()];
            for (int rank = 0; rank < truth.K; rank++)
            {
                Assert.Equal(sorted[rank], distances[truth.Ids(query)[rank]]);
            }
        }
    }

    private static void AssertSet(string name, string extension, long count, int queryCount, int dim, ElementType type)
    {
        using VectorBlock rows = VectorFile.Open(RealData.Path($"{name}/{name}_base{extension}"));
        using VectorBlock queries = VectorFile.Open(RealData.Path($"{name}/{name}_query{extension}"));
        GroundTruth truth = GroundTruth.Open(RealData.Path($"{name}/{name}_groundtruth.ivecs"));
        Assert.Equal((count, dim, type), (rows.Count, rows.Dim, rows.Type));
        Assert.Equal((queryCount, dim, type), (queries.Count, queries.Dim, queries.Type));
        Assert.Equal((queryCount, 100, false), (truth.QueryCount, truth.K, truth.HasDistances));
        Assert.Null(truth.Mismatch(queries.Count, rows.Count));
    }
}
