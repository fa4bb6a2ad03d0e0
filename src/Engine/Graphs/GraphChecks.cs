namespace Signpost.Engine.Graphs;

/// <summary>What a graph looks like, for people and for tests.</summary>
/// <param name="Vertices">Number of vertices.</param>
/// <param name="Edges">Number of edges.</param>
/// <param name="Degrees">Vertices by out-degree. Shape: [R + 1].</param>
/// <param name="Reachable">Vertices that can be reached from the entry, itself included.</param>
/// <param name="SelfEdges">Edges from a vertex to itself.</param>
/// <param name="DuplicateEdges">Edges that a vertex has twice.</param>
public sealed record GraphSummary(uint Vertices, long Edges, long[] Degrees, long Reachable, long SelfEdges, long DuplicateEdges)
{
    /// <summary>Edges per vertex.</summary>
    public double MeanDegree => Vertices == 0 ? 0 : (double)Edges / Vertices;

    /// <summary>True when searches can find every vertex and no place is wasted.</summary>
    public bool Sound => Reachable == Vertices && SelfEdges == 0 && DuplicateEdges == 0;
}

/// <summary>Looks at a whole graph.</summary>
public static class GraphChecks
{
    /// <summary>Counts edges and degrees and follows all edges from the entry.</summary>
    public static GraphSummary Summarize(Graph graph)
    {
        var degrees = new long[graph.R + 1];
        var row = new uint[graph.R];
        long edges = 0, selfEdges = 0, duplicates = 0;
        for (uint v = 0; v < graph.Count; v++)
        {
            int degree = graph.Neighbours(v, row);
            degrees[degree]++;
            edges += degree;
            for (int i = 0; i < degree; i++)
            {
                selfEdges += row[i] == v ? 1 : 0;
                duplicates += row.AsSpan(0, i).Contains(row[i]) ? 1 : 0;
            }
        }

        return new GraphSummary(graph.Count, edges, degrees, Reachable(graph), selfEdges, duplicates);
    }

    private static long Reachable(Graph graph)
    {
        if (graph.Count == 0)
        {
            return 0;
        }

        var seen = new bool[graph.Count];
        var row = new uint[graph.R];
        var open = new Stack<uint>([graph.Entry]);
        seen[graph.Entry] = true;
        long reached = 0;
        while (open.TryPop(out uint v))
        {
            reached++;
            int degree = graph.Neighbours(v, row);
            foreach (uint u in row.AsSpan(0, degree))
            {
                if (!seen[u])
                {
                    seen[u] = true;
                    open.Push(u);
                }
            }
        }

        return reached;
    }
}
