using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Kernels;

namespace Signpost.Engine.Build;

/// <summary>
/// Makes every vertex reachable from the entry (the tree of NSG, section 3.3): an unreached vertex is attached to the nearest
/// reached one that a search for it finds and that has room. An edge that is not part of the tree by which others are reached
/// makes room where a row is full, so degrees never exceed R and nothing is lost.
/// </summary>
/// <remarks>Costs one search for each unreached vertex, and beyond these a time linear in the edges of the graph.</remarks>
internal sealed class Connect
{
    private const int Unreached = -1;

    private readonly Graph _graph;
    private readonly int[] _parent; // of each vertex in the tree; that of the entry is itself
    private readonly uint[] _reached; // vertices in the order in which they were reached
    private readonly uint[] _row;
    private readonly Stack<uint> _open = new();
    private int _reachedCount;
    private int _full; // as many of the first reached have R children: they never have room again

    private Connect(Graph graph)
    {
        _graph = graph;
        _parent = new int[graph.Count];
        Array.Fill(_parent, Unreached);
        _reached = new uint[graph.Count];
        _row = new uint[graph.R];
    }

    /// <summary>Attaches all that is unreached in <paramref name="graph"/>, which has at least one vertex.</summary>
    public static void All<TPair>(BuildSpace space, Graph graph, int l, Work work)
        where TPair : struct, IPairDistance
    {
        var tree = new Connect(graph);
        tree.Reach(graph.Entry, graph.Entry);
        using var scratch = new NsgScratch(space, graph.R);
        for (uint v = 0; tree._reachedCount < graph.Count; v++)
        {
            work.Cancel.ThrowIfCancellationRequested();
            if (tree._parent[v] == Unreached)
            {
                scratch.Evaluate<TPair>(graph, (int)v, l);
                tree.Reach(v, tree.Attach(v, scratch.Nearest((int)v, int.MaxValue)));
            }
        }
    }

    /// <summary>Marks <paramref name="from"/>, and all that can be reached through it and was not, as reached.</summary>
    private void Reach(uint from, uint parent)
    {
        Add(from, parent);
        while (_open.TryPop(out uint v))
        {
            int degree = _graph.Neighbours(v, _row);
            for (int i = 0; i < degree; i++)
            {
                if (_parent[_row[i]] == Unreached)
                {
                    Add(_row[i], v);
                }
            }
        }
    }

    private void Add(uint vertex, uint parent)
    {
        _parent[vertex] = (int)parent;
        _reached[_reachedCount++] = vertex;
        _open.Push(vertex);
    }

    /// <summary>Gives <paramref name="vertex"/> an edge from the first candidate that can have it; returns which.</summary>
    private uint Attach(uint vertex, ReadOnlySpan<ulong> candidates)
    {
        foreach (ulong key in candidates)
        {
            uint host = (uint)key >> 1;
            if (_parent[host] != Unreached && TryAttach(vertex, host))
            {
                return host;
            }
        }

        // All that was found is full. A tree has fewer edges than vertices: somewhere there is room.
        while (!TryAttach(vertex, _reached[_full]))
        {
            _full++;
            Check.That(_full < _reachedCount);
        }

        return _reached[_full];
    }

    private bool TryAttach(uint vertex, uint host)
    {
        int degree = _graph.Neighbours(host, _row);
        int place = degree;
        if (degree == _row.Length)
        {
            do
            {
                place--; // the farthest edge that is not one of the tree
            }
            while (place >= 0 && _parent[_row[place]] == host);
        }

        if (place < 0)
        {
            return false;
        }

        _row[place] = vertex;
        _graph.SetNeighbours(host, _row.AsSpan(0, Math.Max(degree, place + 1)));
        return true;
    }
}
