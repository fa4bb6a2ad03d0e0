using Signpost.Engine.Graphs;

namespace Signpost.Silo.Inspect;

/// <summary>Shape of a graph: how many edges its vertices have, and what a search can get to.</summary>
/// <param name="Vertices">Vertices.</param>
/// <param name="Edges">Directed edges.</param>
/// <param name="Degrees">Vertices by out-degree, 0 .. R.</param>
/// <param name="WithoutIncoming">Vertices that no edge points to.</param>
/// <param name="Reachable">Vertices that can be reached from the entry, itself among them.</param>
/// <param name="Depth">Most hops of a shortest path from the entry.</param>
internal sealed record GraphStatistics(long Vertices, long Edges, long[] Degrees, long WithoutIncoming, long Reachable, int Depth)
{
    /// <summary>Edges per vertex.</summary>
    public double MeanDegree => Vertices == 0 ? 0 : (double)Edges / Vertices;

    /// <summary>Counts; every neighbour of <paramref name="graph"/> must be one of its vertices.</summary>
    public static GraphStatistics Of(Graph graph)
    {
        long[] degrees = new long[graph.R + 1];
        bool[] hasIncoming = new bool[graph.Count];
        long edges = 0;
        Span<uint> neighbours = new uint[graph.R];
        for (uint vertex = 0; vertex < graph.Count; vertex++)
        {
            int degree = graph.Neighbours(vertex, neighbours);
            degrees[degree]++;
            edges += degree;
            foreach (uint neighbour in neighbours[..degree])
            {
                hasIncoming[neighbour] = true;
            }
        }

        (long reachable, int depth) = Reach(graph);
        return new GraphStatistics(graph.Count, edges, degrees, hasIncoming.LongCount(has => !has), reachable, depth);
    }

    /// <summary>Breadth-first from the entry.</summary>
    private static (long Reachable, int Depth) Reach(Graph graph)
    {
        if (graph.Count == 0)
        {
            return (0, 0);
        }

        bool[] seen = new bool[graph.Count];
        Span<uint> neighbours = new uint[graph.R];
        List<uint> ring = [graph.Entry];
        seen[graph.Entry] = true;
        long reachable = 1;
        int depth = 0;
        for (List<uint> next = []; ring.Count > 0; (ring, next) = (next, ring))
        {
            next.Clear();
            foreach (uint vertex in ring)
            {
                int degree = graph.Neighbours(vertex, neighbours);
                foreach (uint neighbour in neighbours[..degree])
                {
                    if (!seen[neighbour])
                    {
                        seen[neighbour] = true;
                        next.Add(neighbour);
                    }
                }
            }

            reachable += next.Count;
            depth += next.Count > 0 ? 1 : 0;
        }

        return (reachable, depth);
    }
}
