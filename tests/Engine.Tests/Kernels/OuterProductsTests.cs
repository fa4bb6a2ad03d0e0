using Signpost.Engine.Kernels;
using Signpost.Engine.Tests.Quantizers;

namespace Signpost.Engine.Tests.Kernels;

public sealed unsafe class OuterProductsTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 2, 0)]
    [InlineData(8, 128, 300)]
    [InlineData(5, 67, 1100)] // more rows than one pass, remainders in every width
    public void Sums_are_those_of_three_loops_in_every_width(int aColumns, int bColumns, int rows)
    {
        Compare<Native>(aColumns, bColumns, rows);
        Compare<Max256>(aColumns, bColumns, rows);
        Compare<Max128>(aColumns, bColumns, rows);
        Compare<ScalarOnly>(aColumns, bColumns, rows);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(19)]
    public void The_gradient_of_a_squared_distance_is_added_to_both_sides(int dim)
    {
        float[] x = TestVectors.Normal(1, dim, 1);
        float[] y = TestVectors.Normal(1, dim, 2);
        float[] dx = [.. Enumerable.Repeat(1f, dim)];
        float[] dy = [.. Enumerable.Repeat(2f, dim)];
        fixed (float* px = x, py = y, pdx = dx, pdy = dy)
        {
            DistanceGradient.Add(3f, px, py, pdx, pdy, dim);
        }

        for (int i = 0; i < dim; i++)
        {
            Assert.Equal(1 + 6 * (x[i] - y[i]), dx[i], 1e-5);
            Assert.Equal(2 - 6 * (x[i] - y[i]), dy[i], 1e-5);
        }
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(8, 40)]
    [InlineData(19, 3)]
    [InlineData(8, 0)]
    public void The_gradients_of_many_squared_distances_are_those_of_each(int dim, int count)
    {
        float[] x = TestVectors.Normal(1, dim, 1);
        float[] table = TestVectors.Normal(50, dim, 2);
        float[] weights = TestVectors.Normal(1, 50, 3);
        int[] rows = [.. Enumerable.Range(0, count).Select(i => i * 7 % 50)];
        float[] dx = new float[dim], wantDx = new float[dim];
        float[] dtable = new float[table.Length], wantDtable = new float[table.Length];
        fixed (float* px = x, pt = table, pw = weights, pdx = dx, pdt = dtable, pwdx = wantDx, pwdt = wantDtable)
        fixed (int* pr = rows)
        {
            DistanceGradient.AddRows(pw, pr, count, px, pt, pdx, pdt, dim);
            for (int i = 0; i < count; i++)
            {
                DistanceGradient.Add(weights[i], px, pt + (rows[i] * dim), pwdx, pwdt + (rows[i] * dim), dim);
            }
        }

        Assert.Equal(wantDx, dx);
        Assert.Equal(wantDtable, dtable);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(45)]
    public void A_row_is_added_times_a_number(int count)
    {
        float[] x = TestVectors.Normal(1, count, 1);
        float[] y = TestVectors.Normal(1, count, 2);
        float[] want = [.. y.Zip(x, (to, from) => to + 0.3f * from)];
        fixed (float* px = x, py = y)
        {
            ScaledSum.Add(0.3f, px, py, count);
        }

        Assert.All(want.Zip(y), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    private static void Compare<TWidth>(int aColumns, int bColumns, int rows)
        where TWidth : struct, ISimdWidth
    {
        float[] a = TestVectors.Normal(rows, aColumns, 1);
        float[] b = TestVectors.Normal(rows, bColumns, 2);
        float[] c = TestVectors.Normal(aColumns, bColumns, 3);
        double[] want = [.. c.Select((value, i) =>
            value + Enumerable.Range(0, rows).Sum(row => (double)a[row * aColumns + i / bColumns] * b[row * bColumns + i % bColumns]))];
        fixed (float* pa = a, pb = b, pc = c)
        {
            OuterProducts.Add<TWidth>(pa, aColumns, pb, bColumns, rows, pc);
        }

        Assert.All(want.Zip(c), pair => Assert.Equal(pair.First, pair.Second, 1e-5 * (10 + rows)));
    }
}
