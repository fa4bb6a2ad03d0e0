using System.Runtime.CompilerServices;
using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Search;

/// <summary>
/// The distance of one bound query to any vertex. Implementations are structs, so that the walk is compiled for each.
/// Smaller is closer.
/// </summary>
public unsafe interface IDistance
{
    /// <summary>Asks for the memory that <see cref="To"/> will read.</summary>
    void Prefetch(uint id);

    /// <summary>Distances to <paramref name="count"/> vertices.</summary>
    void To(uint* ids, int count, float* distances);
}

/// <summary>Exact distance of the full vectors.</summary>
public readonly unsafe struct ExactDistance<TPair>(VectorBlock vectors, byte* query) : IDistance
    where TPair : struct, IPairDistance
{
    /// <summary>Cache lines asked for ahead: beyond these the hardware's own stream detection has caught on.</summary>
    private const int MaxLines = 16;

    /// <summary>How many vectors ahead memory is asked for.</summary>
    private const int Ahead = 6;

    private readonly byte* _first = vectors.First;
    private readonly long _stride = vectors.StrideBytes;
    private readonly int _dim = vectors.Dim;
    private readonly int _prefetchBytes = Math.Min(vectors.RowBytes, MaxLines * 64);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(uint id)
    {
        byte* row = _first + id * _stride;
        for (int offset = 0; offset < _prefetchBytes; offset += 64)
        {
            Memory.Prefetch(row + offset);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void To(uint* ids, int count, float* distances)
    {
        int prefetched = Math.Min(Ahead, count);
        for (int i = 0; i < prefetched; i++)
        {
            Prefetch(ids[i]);
        }

        for (int i = 0; i < count; i++)
        {
            if (i + Ahead < count)
            {
                Prefetch(ids[i + Ahead]);
            }

            distances[i] = TPair.Between(query, _first + ids[i] * _stride, _dim);
        }
    }
}

/// <summary>Distance of the codes: one table entry per subspace (ADC; Jegou, Douze, Schmid 2011).</summary>
public readonly unsafe struct CodeDistance<TAdc>(byte* codes, ITableCoder coder, float* table) : IDistance
    where TAdc : struct, IAdc
{
    private readonly long _codeBytes = coder.CodeBytes;
    private readonly int _m = coder.M;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(uint id)
    {
        byte* code = codes + id * _codeBytes;
        Memory.Prefetch(code);
        Memory.Prefetch(code + _codeBytes - 1);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void To(uint* ids, int count, float* distances)
    {
        for (int i = 0; i < count; i++)
        {
            Prefetch(ids[i]);
        }

        for (int i = 0; i < count; i++)
        {
            distances[i] = TAdc.Distance(codes + ids[i] * _codeBytes, table, _m);
        }
    }
}

/// <summary>Distance of codes with factors (<see cref="ITableCoder.HasFactors"/>): offset + scale * sum of table entries + what is common.</summary>
public readonly unsafe struct FactoredDistance<TAdc>(byte* codes, ITableCoder coder, float* table) : IDistance
    where TAdc : struct, IAdc
{
    private readonly CodeDistance<TAdc> _sum = new(codes, coder, table);
    private readonly long _codeBytes = coder.CodeBytes;
    private readonly float _common = table[coder.TableLength - 1];

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(uint id) => _sum.Prefetch(id);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void To(uint* ids, int count, float* distances)
    {
        _sum.To(ids, count, distances);
        for (int i = 0; i < count; i++)
        {
            byte* end = codes + ((ids[i] + 1L) * _codeBytes);
            float offset = Unsafe.ReadUnaligned<float>(end - (2 * sizeof(float)));
            float scale = Unsafe.ReadUnaligned<float>(end - sizeof(float));
            distances[i] = offset + (scale * distances[i]) + _common;
        }
    }
}
