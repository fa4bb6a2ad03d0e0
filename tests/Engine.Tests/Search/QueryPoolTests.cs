using System.Runtime.InteropServices;
using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Search;

public class QueryPoolTests
{
    [Fact]
    public void A_query_that_is_given_back_is_rented_again_and_others_are_of_the_same_shape()
    {
        using var pool = new QueryPool(3, ElementType.UInt8, Metric.L2);
        Query first = pool.Rent();
        Query second = pool.Rent();
        Assert.NotSame(first, second);
        Assert.Equal((3, ElementType.UInt8, Metric.L2), (second.Dim, second.Type, second.Metric));

        pool.Return(first);

        Assert.Same(first, pool.Rent());
        Assert.True(pool.Fits(3, ElementType.UInt8, Metric.L2));
        Assert.False(pool.Fits(3, ElementType.UInt8, Metric.Cosine));
        using var foreign = new Query(4, ElementType.UInt8, Metric.L2);
        Assert.Throws<CheckFailedException>(() => pool.Return(foreign));
    }

    [Fact]
    public unsafe void A_query_that_comes_back_after_the_end_is_freed()
    {
        var pool = new QueryPool(3, ElementType.UInt8, Metric.L2);
        Query early = pool.Rent();
        Query late = pool.Rent();
        pool.Return(early);

        pool.Dispose();
        Assert.True(early.Row == null);
        Assert.False(late.Row == null);
        pool.Return(late);
        Assert.True(late.Row == null);
    }

    [Fact]
    public void A_row_from_outside_is_bound_or_refused_like_numbers()
    {
        using var query = new Query(2, ElementType.Float32, Metric.Cosine);
        Assert.Null(query.TrySetRow(Bytes(3, 4)));
        Assert.Equal(Bytes(3, 4), query.RowSpan.ToArray());

        Assert.Equal(ProblemCode.WrongDimension, query.TrySetRow(Bytes(1, 2, 3))?.Code);
        Assert.Equal(ProblemCode.InvalidComponent, query.TrySetRow(Bytes(1, float.NaN))?.Code);
        Assert.Equal(ProblemCode.InvalidComponent, query.TrySetRow(Bytes(float.NegativeInfinity, 1))?.Code);
        Assert.Equal(ProblemCode.ZeroVector, query.TrySetRow(Bytes(0, 0))?.Code);
        Assert.Equal(Bytes(3, 4), query.RowSpan.ToArray()); // as it was

        static byte[] Bytes(params float[] row) => MemoryMarshal.AsBytes<float>(row).ToArray();
    }
}
