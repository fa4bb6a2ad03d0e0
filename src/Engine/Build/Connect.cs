using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Kernels;

namespace Signpost.Engine.Build;

/// <summary>
/// Makes every vertex reachable from the entry (the tree of NSG, section 3.3): an unreached vertex is attached to the nearest
/// reached one that a search for it finds. Where that one's row is full, the edge that gives way is not part of the tree by
/// which others are reached, so degrees never exceed R and nothing is lost.
/// </summary>
internal static unsafe class Connect
{
    private const int Unreached = -1;

    /// <summary>Returns how many vertices had to be attached.</summary>
    public static int All<TPair>(BuildSpace space, Graph graph, int l, Work work)
        where TPair : struct, IPairDistance
    {
        var parent = new int[space.Count];
        Array.Fill(parent, Unreached);
        var stack = new Stack<uint>();
        int reached = Reach(graph, graph.Entry, (int)graph.Entry, parent, stack);
        int attached = 0;
        using var scratch = new NsgScratch(space, new GraphOptions { R = graph.R, L = l });
        for (int w = 0; reached < space.Count; w++)
        {
            work.Cancel.ThrowIfCancellationRequested();
            if (parent[w] == Unreached)
            {
                scratch.Evaluate<TPair>(graph, w, l);
                uint host = Attach(graph, scratch.Nearest(w, int.MaxValue), (uint)w, parent);
                reached += Reach(graph, (uint)w, (int)host, parent, stack);
                attached++;
            }
        }

        return attached;
    }

    /// <summary>Marks what <paramref name="from"/> reaches newly; returns how many.</summary>
    private static int Reach(Graph graph, uint from, int parentOfFrom, int[] parent, Stack<uint> stack)
    {
        Span<uint> row = stackalloc uint[graph.R];
        parent[from] = parentOfFrom;
        stack.Push(from);
        int count = 1;
        while (stack.TryPop(out uint v))
        {
            int degree = graph.Neighbours(v, row);
            foreach (uint u in row[..degree])
            {
                if (parent[u] == Unreached)
                {
                    parent[u] = (int)v;
                    stack.Push(u);
                    count++;
                }
            }
        }

        return count;
    }

    private static uint Attach(Graph graph, ReadOnlySpan<ulong> candidates, uint vertex, int[] parent)
    {
        Span<uint> row = stackalloc uint[graph.R];
        foreach (ulong key in candidates)
        {
            uint host = (uint)key >> 1;
            int degree = parent[host] == Unreached ? 0 : graph.Neighbours(host, row);
            if (parent[host] != Unreached && TryAdd(row, ref degree, host, vertex, parent))
            {
                graph.SetNeighbours(host, row[..degree]);
                return host;
            }
        }

        // Every vertex evaluated carries R branches of the tree: any reached vertex with a leaf's room will do.
        for (uint host = 0; host < graph.Count; host++)
        {
            int degree = graph.Neighbours(host, row);
            if (parent[host] != Unreached && TryAdd(row, ref degree, host, vertex, parent))
            {
                graph.SetNeighbours(host, row[..degree]);
                return host;
            }
        }

        throw new CheckFailedException("a reached vertex has room for an edge");
    }

    private static bool TryAdd(Span<uint> row, ref int degree, uint host, uint vertex, int[] parent)
    {
        if (degree < row.Length)
        {
            row[degree++] = vertex;
            return true;
        }

        for (int i = degree - 1; i >= 0; i--)
        {
            if (parent[row[i]] != host)
            {
                row[i] = vertex;
                return true;
            }
        }

        return false;
    }
}
