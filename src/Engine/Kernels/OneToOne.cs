using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Signpost.Engine.Kernels;

/// <summary>What a metric adds up over the components, and what it makes of the sums.</summary>
internal interface IMetric
{
    /// <summary>Adds the terms of one pair of operands.</summary>
    static abstract void Step<TLanes, V>(ref Sums<V> sums, V x, V y)
        where TLanes : struct, ILanes<V>
        where V : struct;

    /// <summary>The distance.</summary>
    static abstract float Finish(in Sums<float> sums);
}

/// <summary>One term of a sum over components.</summary>
internal interface ITerm
{
    /// <summary>Sum plus the terms of one pair of operands.</summary>
    static abstract V Add<TLanes, V>(V sum, V x, V y)
        where TLanes : struct, ILanes<V>
        where V : struct;
}

/// <summary>Running sums of a metric; one that a metric does not use costs nothing.</summary>
internal struct Sums<V>
{
    /// <summary>Squared differences, or products of x and y.</summary>
    public V Main;

    /// <summary>Squares of x.</summary>
    public V XX;

    /// <summary>Squares of y.</summary>
    public V YY;
}

/// <summary>The distance of one vector to another: the loop that every metric, component type and width shares.</summary>
internal static unsafe class OneToOne
{
    /// <summary>Up to here int32 sums cannot overflow: 255^2 * 2^14 is below 2^31.</summary>
    internal const int SafeDim = 1 << 14;

    /// <summary>Longer vectors are added up in pieces whose integer sums float32 holds exactly: 255^2 * 2^8 is below 2^24.</summary>
    private const int ExactDim = 1 << 8;

    private const int MaskBytes = 64;

    /// <summary>64 clear bytes, then 64 set ones: read at an offset, a mask of the last bytes of a vector.</summary>
    private static ReadOnlySpan<byte> Mask =>
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    ];

    /// <summary>Smaller is closer. Any alignment; <paramref name="dim"/> components behind each pointer, any value of 0 or more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Distance<TMetric, TElement, TWidth>(byte* x, byte* y, int dim)
        where TMetric : struct, IMetric
        where TElement : struct, IElement
        where TWidth : struct, ISimdWidth =>
        TElement.Select<Pair<TMetric>, TWidth, float>(new Pair<TMetric>(x, y, dim));

    private readonly struct Pair<TMetric>(byte* x, byte* y, int dim) : ILanesUser<float>
        where TMetric : struct, IMetric
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public float Use<TElement, TLanes, V>()
            where TElement : struct, IElement<V>
            where TLanes : struct, ILanes<V>
            where V : struct
        {
            if (dim < TElement.Count || dim > SafeDim)
            {
                return Unusual<TMetric, TElement, TLanes, V>(x, y, dim);
            }

            Sums<V> sums = Add<TMetric, TElement, TLanes, V>(x, y, dim);
            Sums<float> totals = Total<TLanes, V>(sums);
            return TMetric.Finish(totals);
        }
    }

    /// <summary>The sums of at least one operand's worth of components.</summary>
    /// <remarks>Nothing in here may be a call: the accumulators would then live in memory, also in the loops.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Sums<V> Add<TMetric, TElement, TLanes, V>(byte* x, byte* y, int dim)
        where TMetric : struct, IMetric
        where TElement : struct, IElement<V>
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        int step = TElement.Count * TElement.Bytes;
        byte* end = x + (long)dim * TElement.Bytes;
        byte* lastFour = end - 4 * step;
        byte* last = end - step;
        Sums<V> a = default, b = default, c = default, d = default; // four chains hide the latency of the additions
        for (; x <= lastFour; x += 4 * step, y += 4 * step)
        {
            TMetric.Step<TLanes, V>(ref a, TElement.Load(x), TElement.Load(y));
            TMetric.Step<TLanes, V>(ref b, TElement.Load(x + step), TElement.Load(y + step));
            TMetric.Step<TLanes, V>(ref c, TElement.Load(x + 2 * step), TElement.Load(y + 2 * step));
            TMetric.Step<TLanes, V>(ref d, TElement.Load(x + 3 * step), TElement.Load(y + 3 * step));
        }

        for (; x <= last; x += step, y += step)
        {
            TMetric.Step<TLanes, V>(ref a, TElement.Load(x), TElement.Load(y));
        }

        if (x < end)
        {
            int rest = (int)(end - x) / TElement.Bytes;
            TMetric.Step<TLanes, V>(ref b, Last<TElement, TLanes, V>(x, rest), Last<TElement, TLanes, V>(y, rest));
        }

        a.Main = TLanes.Add(TLanes.Add(a.Main, b.Main), TLanes.Add(c.Main, d.Main));
        a.XX = TLanes.Add(TLanes.Add(a.XX, b.XX), TLanes.Add(c.XX, d.XX));
        a.YY = TLanes.Add(TLanes.Add(a.YY, b.YY), TLanes.Add(c.YY, d.YY));
        return a;
    }

    /// <summary>The <paramref name="rest"/> components at the end of a vector that is longer than an operand; those before them as zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Last<TElement, TLanes, V>(byte* components, int rest)
        where TElement : struct, IElement<V>
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        int operandBytes = TLanes.Units * 4;
        byte* mask = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(Mask));
        V keep = TLanes.Load(mask + MaskBytes - operandBytes + rest * (operandBytes / TElement.Count));
        return TLanes.And(TElement.Load(components - (TElement.Count - rest) * TElement.Bytes), keep);
    }

    /// <summary>The <paramref name="count"/> components of a vector that is shorter than an operand, then zeros.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static V First<TElement, V>(byte* components, int count)
        where TElement : struct, IElement<V>
        where V : struct
    {
        byte* buffer = stackalloc byte[MaskBytes];
        Unsafe.InitBlockUnaligned(buffer, 0, MaskBytes);
        Unsafe.CopyBlockUnaligned(buffer, components, (uint)(count * TElement.Bytes));
        return TElement.Load(buffer);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Sums<float> Total<TLanes, V>(in Sums<V> sums)
        where TLanes : struct, ILanes<V>
        where V : struct =>
        new() { Main = TLanes.Total(sums.Main), XX = TLanes.Total(sums.XX), YY = TLanes.Total(sums.YY) };

    /// <summary>Vectors shorter than an operand, and those so long that sums must be carried over to wider ones.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Unusual<TMetric, TElement, TLanes, V>(byte* x, byte* y, int dim)
        where TMetric : struct, IMetric
        where TElement : struct, IElement<V>
        where TLanes : struct, ILanes<V>
        where V : struct
    {
        Sums<double> all = default;
        for (int from = 0; from < dim; from += ExactDim)
        {
            byte* xPart = x + (long)from * TElement.Bytes;
            byte* yPart = y + (long)from * TElement.Bytes;
            int count = Math.Min(ExactDim, dim - from);
            Sums<V> sums = default;
            if (count >= TElement.Count)
            {
                sums = Add<TMetric, TElement, TLanes, V>(xPart, yPart, count);
            }
            else
            {
                TMetric.Step<TLanes, V>(ref sums, First<TElement, V>(xPart, count), First<TElement, V>(yPart, count));
            }

            Sums<float> part = Total<TLanes, V>(sums);
            all.Main += part.Main;
            all.XX += part.XX;
            all.YY += part.YY;
        }

        return TMetric.Finish(new Sums<float> { Main = (float)all.Main, XX = (float)all.XX, YY = (float)all.YY });
    }
}
