using System.Runtime.CompilerServices;
using System.Text.Json;
using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Graphs;
using Signpost.Engine.Search;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Search;

/// <summary>
/// Walks that must not change unnoticed: what is found, in how many hops and computations. GOLDEN=write writes them anew;
/// the difference is then what is reviewed.
/// </summary>
public sealed class GoldenTraversalTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    [Fact]
    public void Walks_on_a_grid()
    {
        const int side = 20;
        Graph graph = Graph.Allocate(side * side, 4, 0);
        var points = new float[2 * side * side];
        for (uint v = 0; v < side * side; v++)
        {
            (uint x, uint y) = (v % side, v / side);
            (points[2 * v], points[2 * v + 1]) = (x, y);
            graph.SetNeighbours(v, new[] { (x > 0, v - 1), (x + 1 < side, v + 1), (y > 0, v - side), (y + 1 < side, v + side) }
                .Where(n => n.Item1).Select(n => n.Item2).ToArray());
        }

        var view = new SegmentView { Vectors = VectorBlock.Of(points, 2), Metric = Metric.L2, Graph = graph };
        Compare("grid", "20 x 20 grid, edges to the four sides, entry in a corner",
            [Walk(view, [10.3f, 7.1f], 4), Walk(view, [19, 19], 4), Walk(view, [-5, 30], 12)]);
    }

    [Fact]
    public void Walks_on_a_built_graph()
    {
        using VectorBlock vectors = Sets.Clustered(3000, 24, ElementType.UInt8, 11);
        using VectorBlock queries = Sets.Clustered(4, 24, ElementType.UInt8, 11, stream: 1);
        using Graph graph = GraphBuilder.Build(vectors, Metric.L2, new GraphOptions { R = 16, L = 40, KnnK = 24, Seed = 3 }, new Work(2));
        var view = new SegmentView { Vectors = vectors, Metric = Metric.L2, Graph = graph };
        var walks = new List<Golden>();
        for (int q = 0; q < queries.Count; q++)
        {
            var query = new float[24];
            queries.CopyRow(q, query);
            walks.Add(Walk(view, query, 20));
        }

        Compare("nsg", "3,000 clustered uint8 vectors of 24 dimensions, R 16, L 40, seed 3; searches of L 20", walks);
    }

    private static Golden Walk(SegmentView view, float[] vector, int l)
    {
        using var scratch = new SearchScratch();
        using var query = new Query(vector.Length, view.Vectors.Type, view.Metric);
        Assert.Null(query.Set(vector));
        var results = new Neighbour[4];
        int found = Searcher.Search(view, query, new SearchParameters(4, l), Deadline.None, scratch, results, out SearchStats stats);
        return new Golden(results[..found].Select(r => r.Id).ToArray(), stats.Hops, stats.DistanceComputations);
    }

    private static void Compare(string name, string description, IReadOnlyList<Golden> walks, [CallerFilePath] string source = "")
    {
        string path = Path.Combine(Path.GetDirectoryName(source)!, "..", "Golden", name + ".json");
        string actual = JsonSerializer.Serialize(new { description, walks }, Indented) + "\n";
        if (Environment.GetEnvironmentVariable("GOLDEN") == "write")
        {
            File.WriteAllText(path, actual);
        }

        Assert.Equal(File.ReadAllText(path), actual);
    }

    private sealed record Golden(uint[] Ids, long Hops, long DistanceComputations);
}
