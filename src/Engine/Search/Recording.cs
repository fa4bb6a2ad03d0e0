using System.Runtime.CompilerServices;
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

/// <summary>Keys of the vertices that a walk evaluated. One thread's scratch.</summary>
public sealed class EvaluatedLog
{
    private ulong[] _keys = new ulong[4096];
    private int _count;

    /// <summary>What was evaluated since <see cref="Clear"/>.</summary>
    public Span<ulong> Keys => _keys.AsSpan(0, _count);

    /// <summary>Forgets all.</summary>
    public void Clear() => _count = 0;

    /// <summary>Room for <paramref name="count"/> more keys.</summary>
    public Span<ulong> Append(int count)
    {
        if (_count + count > _keys.Length)
        {
            Array.Resize(ref _keys, Math.Max(_keys.Length * 2, _count + count));
        }

        _count += count;
        return _keys.AsSpan(_count - count, count);
    }
}
