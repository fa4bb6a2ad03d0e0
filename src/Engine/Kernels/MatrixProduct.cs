using Signpost.Engine.Base;

namespace Signpost.Engine.Kernels;

/// <summary>Products of float32 matrices: rotation, clustering and encoding.</summary>
public static unsafe class MatrixProduct
{
    /// <summary>Below this many rows laying out b for tiles costs more than it saves.</summary>
    private const int FewRows = 4;

    /// <summary>c = a b^T: <c>c[i, j]</c> is the dot product of row i of <paramref name="a"/> and row j of <paramref name="b"/>.</summary>
    /// <param name="a">Shape [aRows, dim], row-major without gaps.</param>
    /// <param name="aRows">Rows, 0 or more.</param>
    /// <param name="b">Shape [bRows, dim], row-major without gaps.</param>
    /// <param name="bRows">Rows, 0 or more.</param>
    /// <param name="dim">Columns of both, 0 or more.</param>
    /// <param name="c">Shape [aRows, bRows], row-major without gaps; must not overlap the operands.</param>
    /// <remarks>A row's result does not depend on the other rows, but fewer than 4 rows are added up in another order than more.</remarks>
    public static void MultiplyTransposed(float* a, int aRows, float* b, int bRows, int dim, float* c) =>
        MultiplyTransposed<Native>(a, aRows, b, bRows, dim, c);

    internal static void MultiplyTransposed<TWidth>(float* a, int aRows, float* b, int bRows, int dim, float* c)
        where TWidth : struct, ISimdWidth
    {
        Check.That(aRows >= 0 && bRows >= 0 && dim >= 0);
        if (aRows < FewRows)
        {
            RowByRow<TWidth>(a, aRows, b, bRows, dim, c);
            return;
        }

        _ = Float32.Select<RowsByRows, TWidth, bool>(new RowsByRows
        {
            X = (byte*)a,
            XStride = dim * 4L,
            XCount = aRows,
            Y = (byte*)b,
            YStride = dim * 4L,
            YCount = bRows,
            Dim = dim,
            Differences = false,
            Finish = TileFinish.None,
            Results = c,
            RowStride = bRows,
        });
    }

    private static void RowByRow<TWidth>(float* a, int aRows, float* b, int bRows, int dim, float* c)
        where TWidth : struct, ISimdWidth
    {
        for (int i = 0; i < aRows; i++)
        {
            for (int j = 0; j < bRows; j++)
            {
                byte* x = (byte*)(a + (long)i * dim);
                byte* y = (byte*)(b + (long)j * dim);
                c[(long)i * bRows + j] = -OneToOne.Distance<InnerProduct, Float32, TWidth>(x, y, dim);
            }
        }
    }
}
