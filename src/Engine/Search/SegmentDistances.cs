using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Search;

/// <summary>What is done with the distance of a query to the vertices of a segment, compiled for each kind of distance.</summary>
internal interface IDistanceUser<TResult>
{
    /// <summary>Does it with <paramref name="distance"/>.</summary>
    TResult Use<TDistance>(TDistance distance)
        where TDistance : struct, IDistance;
}

/// <summary>The one place where what a segment holds becomes a closed <see cref="IDistance"/>.</summary>
internal static unsafe class SegmentDistances
{
    /// <summary>Calls <paramref name="user"/> with the exact distance.</summary>
    public static TResult Exact<TResult, TUser>(in SegmentView segment, Query query, TUser user)
        where TUser : struct, IDistanceUser<TResult> =>
        PairDistances.Select<TResult, OfPair<TResult, TUser>>(
            segment.Metric, segment.Vectors.Type, new OfPair<TResult, TUser>(segment, query, user));

    /// <summary>Calls <paramref name="user"/> with the distance of the codes, which the segment has.</summary>
    public static TResult Codes<TResult, TUser>(in SegmentView segment, Query query, TUser user)
        where TUser : struct, IDistanceUser<TResult>
    {
        ITableCoder coder = segment.Coder!;
        float* table = query.Table(coder);
        return (coder.K, coder.HasFactors) switch
        {
            (256, false) => user.Use(new CodeDistance<Adc256>(segment.Codes, coder, table)),
            (16, false) => user.Use(new CodeDistance<Adc16>(segment.Codes, coder, table)),
            (16, true) => user.Use(new FactoredDistance<Adc16>(segment.Codes, coder, table)),
            _ => throw new CheckFailedException($"codes of K = {coder.K}{(coder.HasFactors ? " with factors" : "")}"),
        };
    }

    private readonly struct OfPair<TResult, TUser>(SegmentView segment, Query query, TUser user) : IPairDistanceUser<TResult>
        where TUser : struct, IDistanceUser<TResult>
    {
        public TResult Use<TPair>()
            where TPair : struct, IPairDistance => user.Use(new ExactDistance<TPair>(segment.Vectors, query.Row));
    }
}
