using System.Numerics;

namespace Signpost.Engine.Kernels;

/// <summary>What becomes of the sums of a tile.</summary>
internal enum TileFinish
{
    /// <summary>float32 sums are the result.</summary>
    None,

    /// <summary>Products become negative inner products.</summary>
    Negate,

    /// <summary>int32 products become squared distances: x^2 + y^2 - 2xy, exact.</summary>
    SquaredL2,

    /// <summary>Products become 1 - cosine.</summary>
    Cosine,
}

/// <summary>Turns one row of a tile's sums into distances.</summary>
internal static unsafe class TileFinishing
{
    /// <summary>
    /// Writes <paramref name="count"/> distances. <paramref name="xFactor"/> and <paramref name="yFactors"/> point to squared
    /// lengths (int32) under <see cref="TileFinish.SquaredL2"/>, to inverse lengths (float32) under
    /// <see cref="TileFinish.Cosine"/>, and are not read otherwise. The row is overwritten up to <see cref="Tile.Stride"/>.
    /// </summary>
    public static void Row(TileFinish finish, bool integers, byte* sums, byte* xFactor, byte* yFactors, int count, float* distances)
    {
        for (int j = 0; j < count; j += Vector<float>.Count)
        {
            Vector<float> values;
            if (finish == TileFinish.SquaredL2)
            {
                Vector<int> products = Vector.Load((int*)sums + j);
                values = Vector.ConvertToSingle(new Vector<int>(*(int*)xFactor) + Vector.Load((int*)yFactors + j) - (products + products));
            }
            else
            {
                values = integers ? Vector.ConvertToSingle(Vector.Load((int*)sums + j)) : Vector.Load((float*)sums + j);
            }

            if (finish == TileFinish.Negate)
            {
                values = Vector<float>.Zero - values; // no negative zero: it would be nearer than zero to those who compare bits
            }
            else if (finish == TileFinish.Cosine)
            {
                values = Vector<float>.One - values * (new Vector<float>(*(float*)xFactor) * Vector.Load((float*)yFactors + j));
            }

            if (j + Vector<float>.Count <= count)
            {
                values.Store(distances + j);
                continue;
            }

            for (int i = 0; i < count - j; i++)
            {
                distances[j + i] = values[i];
            }
        }
    }
}
