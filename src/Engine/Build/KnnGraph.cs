using System.Runtime.CompilerServices;
using Signpost.Engine.Base;

namespace Signpost.Engine.Build;

/// <summary>
/// The k nearest neighbours of every vertex as far as they are known: rows of keys, nearest first in the total order
/// (distance, id). The content of a row is the best k of all that was ever offered, whatever the order of offering, so builders
/// on any number of threads agree.
/// </summary>
/// <remarks>
/// Shape: [Count, K] keys of 8 bytes: bits 63..32 the distance as an order-preserving integer, bits 31..1 the vertex, bit 0 set
/// once the entry is old (has taken part in a join). Empty places hold all ones.
/// </remarks>
internal sealed unsafe class KnnGraph : IDisposable
{
    /// <summary>The key of an empty place: farther than any distance.</summary>
    public const ulong Empty = ulong.MaxValue;

    private const ulong OldBit = 1;
    private readonly AlignedBuffer _keys;
    private readonly AlignedBuffer _locks;

    /// <summary>A graph without neighbours.</summary>
    public KnnGraph(int count, int k)
    {
        Check.That(count >= 0 && k > 0);
        Count = count;
        K = k;
        _keys = new AlignedBuffer((long)count * k * sizeof(ulong));
        _locks = new AlignedBuffer((long)count * sizeof(int));
        for (int v = 0; v < count; v++)
        {
            new Span<ulong>(Row(v), k).Fill(Empty);
        }
    }

    /// <summary>Number of vertices.</summary>
    public int Count { get; }

    /// <summary>Places of a row.</summary>
    public int K { get; }

    /// <summary>The row of <paramref name="vertex"/>; not checked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong* Row(int vertex) => (ulong*)_keys.Pointer + (long)vertex * K;

    /// <summary>Keys at or above this would not be taken into the row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Bound(int vertex) => Volatile.Read(ref Row(vertex)[K - 1]);

    /// <summary>True until the entry has taken part in a join.</summary>
    public static bool IsNew(ulong key) => (key & OldBit) == 0;

    /// <summary>The entry once it has taken part in a join.</summary>
    public static ulong AsOld(ulong key) => key | OldBit;

    /// <summary>The entry without the mark.</summary>
    public static ulong AsNew(ulong key) => key & ~OldBit;

    /// <summary>Offers <paramref name="key"/> (see <see cref="Graphs.CandidateList.KeyOf"/>) to a row. Thread-safe.</summary>
    /// <returns>True when it was taken.</returns>
    public bool Offer(int vertex, ulong key)
    {
        if (key >= Bound(vertex))
        {
            return false;
        }

        ref int guard = ref ((int*)_locks.Pointer)[vertex];
        while (Interlocked.CompareExchange(ref guard, 1, 0) != 0)
        {
            Thread.SpinWait(1);
        }

        bool taken = Insert(Row(vertex), key);
        Volatile.Write(ref guard, 0);
        return taken;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _keys.Dispose();
        _locks.Dispose();
    }

    /// <summary>
    /// A vertex is offered many times, in float32 perhaps with distances that differ in the last bit: the smallest counts, so
    /// that the row does not depend on the order of offering.
    /// </summary>
    private bool Insert(ulong* row, ulong key)
    {
        uint id = (uint)key >> 1;
        int low = 0;
        int high = K;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if ((row[middle] & ~OldBit) < key)
            {
                if ((uint)row[middle] >> 1 == id)
                {
                    return false;
                }

                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        if (low == K)
        {
            return false; // another thread has filled the row with nearer ones since the bound was looked at
        }

        for (int i = 0; i < low; i++)
        {
            if ((uint)row[i] >> 1 == id)
            {
                return false;
            }
        }

        int last = low; // the place that is overwritten: the same vertex at a greater distance, or the last one
        while (last < K - 1 && (uint)row[last] >> 1 != id)
        {
            last++;
        }

        if ((uint)row[last] >> 1 == id && row[last] != Empty && (row[last] & ~OldBit) <= key)
        {
            return false;
        }

        Buffer.MemoryCopy(row + low, row + low + 1, (long)(last - low) * sizeof(ulong), (long)(last - low) * sizeof(ulong));
        row[low] = key;
        return true;
    }
}
