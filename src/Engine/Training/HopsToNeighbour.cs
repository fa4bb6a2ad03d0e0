using Signpost.Engine.Base;
using Signpost.Engine.Graphs;

namespace Signpost.Engine.Training;

/// <summary>Edges of a graph from their ends: who points at a vertex.</summary>
internal sealed class ReverseEdges
{
    private readonly long[] _start;
    private readonly uint[] _sources;

    /// <summary>Turns the edges of <paramref name="graph"/> round: 4 bytes for each, and 8 for each vertex.</summary>
    public ReverseEdges(Graph graph)
    {
        _start = new long[graph.Count + 1L];
        var row = new uint[graph.R];
        for (uint v = 0; v < graph.Count; v++)
        {
            foreach (uint target in row.AsSpan(0, graph.Neighbours(v, row)))
            {
                _start[target + 1]++;
            }
        }

        for (long v = 0; v < graph.Count; v++)
        {
            _start[v + 1] += _start[v];
        }

        Check.That(_start[^1] <= Array.MaxLength);
        _sources = new uint[_start[^1]];
        long[] next = _start[..^1];
        for (uint v = 0; v < graph.Count; v++)
        {
            foreach (uint target in row.AsSpan(0, graph.Neighbours(v, row)))
            {
                _sources[next[target]++] = v;
            }
        }
    }

    /// <summary>Number of vertices.</summary>
    public long Count => _start.LongLength - 1;

    /// <summary>The vertices with an edge to <paramref name="target"/>, ascending.</summary>
    public ReadOnlySpan<uint> To(uint target) => _sources.AsSpan((int)_start[target], (int)(_start[target + 1] - _start[target]));
}

/// <summary>How many edges a vertex is from the nearest of some targets, up to a bound: breadth first from the targets backwards.</summary>
internal sealed class HopsToNeighbour(ReverseEdges edges)
{
    /// <summary>Edges walked back from the targets. Three reach some tens of thousands of vertices; a fourth nearly all.</summary>
    public const int Most = 3;

    /// <summary>In place of the hops of a vertex that is farther.</summary>
    public const byte Beyond = byte.MaxValue;

    private readonly byte[] _hops = New(edges.Count);
    private readonly List<uint> _reached = [];
    private uint _hidden;
    private int _expanded;
    private byte _depth;

    /// <summary>Starts anew: the hops to <paramref name="targets"/>, on ways that avoid <paramref name="hidden"/>, none walked yet.</summary>
    public void Begin(ReadOnlySpan<uint> targets, uint hidden)
    {
        foreach (uint vertex in _reached)
        {
            _hops[vertex] = Beyond;
        }

        _reached.Clear();
        (_hidden, _expanded, _depth) = (hidden, 0, 0);
        foreach (uint target in targets)
        {
            Reach(target, 0);
        }
    }

    /// <summary>Walks one more edge back; false when <see cref="Most"/> have been walked.</summary>
    public bool Deepen()
    {
        if (_depth == Most)
        {
            return false;
        }

        _depth++;
        for (int end = _reached.Count; _expanded < end; _expanded++)
        {
            foreach (uint source in edges.To(_reached[_expanded]))
            {
                if (source != _hidden)
                {
                    Reach(source, _depth);
                }
            }
        }

        return true;
    }

    /// <summary>0 for a target; <see cref="Beyond"/> for what has not been reached yet.</summary>
    public byte Of(uint vertex) => _hops[vertex];

    private static byte[] New(long count)
    {
        var hops = new byte[count];
        Array.Fill(hops, Beyond);
        return hops;
    }

    private void Reach(uint vertex, byte hops)
    {
        if (_hops[vertex] == Beyond)
        {
            _hops[vertex] = hops;
            _reached.Add(vertex);
        }
    }
}
