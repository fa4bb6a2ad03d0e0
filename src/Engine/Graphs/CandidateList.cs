using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Signpost.Engine.Base;

namespace Signpost.Engine.Graphs;

/// <summary>
/// The candidate pool of a walk: at most L vertices, nearest first in the total order (distance, id), each open or closed
/// (expanded). One sorted array of 64-bit keys, which up to a few hundred entries beats any heap.
/// </summary>
/// <remarks>
/// Key: bits 63..32 the distance as an order-preserving integer, bits 31..1 the vertex, bit 0 set once closed. Vertices are
/// therefore below 2^31.
/// </remarks>
public unsafe struct CandidateList
{
    private readonly ulong* _keys;
    private readonly int _capacity;
    private int _count;
    private int _cursor;
    private ulong _bound; // keys at or above are not taken: the last key once the list is full

    /// <summary>An empty list over <paramref name="keys"/>, memory for <paramref name="capacity"/> + 1 keys.</summary>
    public CandidateList(ulong* keys, int capacity)
    {
        Check.That(capacity > 0);
        _keys = keys;
        _capacity = capacity;
        _count = 0;
        _cursor = 0;
        _bound = ulong.MaxValue;
    }

    /// <summary>Vertices in the list.</summary>
    public readonly int Count => _count;

    /// <summary>The key of an open vertex at a distance. NaN counts as infinitely far.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong KeyOf(float distance, uint id)
    {
        uint bits = BitConverter.SingleToUInt32Bits(float.IsNaN(distance) ? float.PositiveInfinity : distance);
        bits ^= (uint)((int)bits >> 31) | 0x8000_0000;
        return ((ulong)bits << 32) | (id << 1);
    }

    /// <summary>The vertex at <paramref name="index"/> in ascending order.</summary>
    public readonly uint Id(int index) => (uint)_keys[index] >> 1;

    /// <summary>The distance at <paramref name="index"/> in ascending order.</summary>
    public readonly float Distance(int index) => DistanceOf(_keys[index]);

    /// <summary>Whether the vertex at <paramref name="index"/> has not been expanded yet.</summary>
    public readonly bool IsOpen(int index) => (_keys[index] & 1) == 0;

    /// <summary>Whether <see cref="Offer"/> would take <paramref name="key"/> in.</summary>
    public readonly bool Takes(ulong key) => key < _bound;

    /// <summary>The distance of a key of <see cref="KeyOf"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float DistanceOf(ulong key)
    {
        uint bits = (uint)(key >> 32);
        bits ^= ~(uint)((int)bits >> 31) | 0x8000_0000;
        return BitConverter.UInt32BitsToSingle(bits);
    }

    /// <summary>Closes the nearest open vertex and gives it; false when all are closed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryExpand(out uint id)
    {
        while (_cursor < _count && (_keys[_cursor] & 1) != 0)
        {
            _cursor++;
        }

        if (_cursor >= _count)
        {
            id = 0;
            return false;
        }

        id = (uint)_keys[_cursor] >> 1;
        _keys[_cursor++] |= 1;
        return true;
    }

    /// <summary>The nearest open vertex at or after the cursor, without closing it; used to prefetch.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool TryPeek(out uint id)
    {
        for (int i = _cursor; i < _count; i++)
        {
            if ((_keys[i] & 1) == 0)
            {
                id = (uint)_keys[i] >> 1;
                return true;
            }
        }

        id = 0;
        return false;
    }

    /// <summary>An empty list of <paramref name="capacity"/>, at most this one's, in the same memory.</summary>
    public readonly CandidateList Restart(int capacity)
    {
        Check.That(capacity <= _capacity);
        return new CandidateList(_keys, capacity);
    }

    /// <summary>Takes <paramref name="key"/> in unless the list is full of nearer ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Offer(ulong key)
    {
        if (key < _bound)
        {
            Insert(key);
        }
    }

    private void Insert(ulong key)
    {
        // From the end, eight keys at a time: half of all that is inserted lands in the last third, and a binary search would
        // mispredict at every step.
        int kept = Math.Min(_count, _capacity - 1);
        int low = kept;
        while (low >= 8 && _keys[low - 8] > key)
        {
            Vector512.Store(Vector512.Load(_keys + low - 8), _keys + low - 7);
            low -= 8;
        }

        while (low > 0 && _keys[low - 1] > key)
        {
            _keys[low] = _keys[low - 1];
            low--;
        }

        _keys[low] = key;
        _count = kept + 1;
        if (low < _cursor)
        {
            _cursor = low;
        }

        if (_count == _capacity)
        {
            _bound = _keys[_capacity - 1];
        }
    }
}
