using System.Runtime.CompilerServices;
using Signpost.Engine.Base;
using Signpost.Engine.Graphs;

namespace Signpost.Engine.Search;

/// <summary>A distance that also remembers what it was asked: the vertices a walk evaluated are the candidates of a new edge list.</summary>
/// <param name="distance">Computes.</param>
/// <param name="log">Takes the keys of all evaluated vertices.</param>
public readonly unsafe struct Recording<TDistance>(TDistance distance, EvaluatedLog log) : IDistance
    where TDistance : struct, IDistance
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(uint id) => distance.Prefetch(id);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void To(uint* ids, int count, float* distances)
    {
        distance.To(ids, count, distances);
        Span<ulong> keys = log.Append(count);
        for (int i = 0; i < count; i++)
        {
            keys[i] = CandidateList.KeyOf(distances[i], ids[i]);
        }
    }
}

/// <summary>
/// Keys of the vertices that a walk evaluated, in the batches in which it did: the entry, then one batch for each hop, empty where a
/// vertex had no neighbour left to look at. One thread's scratch.
/// </summary>
public sealed class EvaluatedLog
{
    private ulong[] _keys = new ulong[4096];
    private int[] _ends = new int[256];
    private int _count;

    /// <summary>What was evaluated since <see cref="Clear"/>.</summary>
    public Span<ulong> Keys => _keys.AsSpan(0, _count);

    /// <summary>Number of batches since <see cref="Clear"/>.</summary>
    public int Batches { get; private set; }

    /// <summary>The keys of one batch, in the order in which they were evaluated.</summary>
    public ReadOnlySpan<ulong> Batch(int index)
    {
        Check.That((uint)index < (uint)Batches);
        return _keys.AsSpan((index == 0 ? 0 : _ends[index - 1]).._ends[index]);
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        _count = 0;
        Batches = 0;
    }

    /// <summary>Room for the <paramref name="count"/> keys of the next batch.</summary>
    public Span<ulong> Append(int count)
    {
        if (_count + count > _keys.Length)
        {
            Array.Resize(ref _keys, Math.Max(_keys.Length * 2, _count + count));
        }

        if (Batches == _ends.Length)
        {
            Array.Resize(ref _ends, _ends.Length * 2);
        }

        _count += count;
        _ends[Batches++] = _count;
        return _keys.AsSpan(_count - count, count);
    }
}
