using System.Runtime.CompilerServices;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Kernels;

/// <summary>The one place where a metric and an element type become compiled code.</summary>
public static unsafe class PairDistances
{
    /// <summary>Calls <paramref name="user"/> with the distance type of <paramref name="metric"/> and <paramref name="type"/>.</summary>
    public static TResult Select<TResult, TUser>(Metric metric, ElementType type, TUser user)
        where TUser : IPairDistanceUser<TResult> => Select<TResult, TUser, Native>(metric, type, user);

    internal static TResult Select<TResult, TUser, TWidth>(Metric metric, ElementType type, TUser user)
        where TUser : IPairDistanceUser<TResult>
        where TWidth : struct, ISimdWidth => (metric, type) switch
        {
            (Metric.L2, ElementType.Float32) => user.Use<Pair<SquaredL2, Float32, TWidth>>(),
            (Metric.L2, ElementType.Float16) => user.Use<Pair<SquaredL2, Float16, TWidth>>(),
            (Metric.L2, ElementType.UInt8) => user.Use<Pair<SquaredL2, UInt8, TWidth>>(),
            (Metric.L2, ElementType.Int8) => user.Use<Pair<SquaredL2, Int8, TWidth>>(),
            (Metric.InnerProduct, ElementType.Float32) => user.Use<Pair<InnerProduct, Float32, TWidth>>(),
            (Metric.InnerProduct, ElementType.Float16) => user.Use<Pair<InnerProduct, Float16, TWidth>>(),
            (Metric.InnerProduct, ElementType.UInt8) => user.Use<Pair<InnerProduct, UInt8, TWidth>>(),
            (Metric.InnerProduct, ElementType.Int8) => user.Use<Pair<InnerProduct, Int8, TWidth>>(),
            (Metric.Cosine, ElementType.Float32) => user.Use<Pair<Cosine, Float32, TWidth>>(),
            (Metric.Cosine, ElementType.Float16) => user.Use<Pair<Cosine, Float16, TWidth>>(),
            (Metric.Cosine, ElementType.UInt8) => user.Use<Pair<Cosine, UInt8, TWidth>>(),
            (Metric.Cosine, ElementType.Int8) => user.Use<Pair<Cosine, Int8, TWidth>>(),
            _ => throw new ArgumentOutOfRangeException(nameof(type), (metric, type), "unknown metric or element type"),
        };

    /// <summary>The distance of two vectors of <paramref name="dim"/> components; smaller is closer. Any alignment.</summary>
    /// <remarks>Chooses the kernel at every call; a loop is better off with <see cref="Select"/>.</remarks>
    public static float Between(Metric metric, ElementType type, byte* x, byte* y, int dim) =>
        Between<Native>(metric, type, x, y, dim);

    internal static float Between<TWidth>(Metric metric, ElementType type, byte* x, byte* y, int dim)
        where TWidth : struct, ISimdWidth => Select<float, OnePair, TWidth>(metric, type, new OnePair(x, y, dim));

    private readonly struct Pair<TMetric, TElement, TWidth> : IPairDistance
        where TMetric : struct, IMetric
        where TElement : struct, IElement
        where TWidth : struct, ISimdWidth
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static float Between(byte* x, byte* y, int dim) => OneToOne.Distance<TMetric, TElement, TWidth>(x, y, dim);
    }

    private readonly struct OnePair(byte* x, byte* y, int dim) : IPairDistanceUser<float>
    {
        public float Use<TPair>()
            where TPair : struct, IPairDistance => TPair.Between(x, y, dim);
    }
}
