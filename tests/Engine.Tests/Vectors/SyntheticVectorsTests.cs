using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Vectors;

public class SyntheticVectorsTests
{
    private const int Dim = 48;

    [Fact]
    public void A_seed_gives_the_same_vectors_for_any_number_of_threads()
    {
        using VectorBlock one = new SyntheticVectors(Dim, seed: 5).Base(5_000, new Work(1));
        using VectorBlock many = new SyntheticVectors(Dim, seed: 5).Base(5_000, new Work(5));
        using VectorBlock other = new SyntheticVectors(Dim, seed: 6).Base(1, new Work(1));
        Samples.AssertSame(one, many);
        Assert.False(one.RowSpan(0).SequenceEqual(other.RowSpan(0)));
    }

    [Fact]
    public void A_row_does_not_depend_on_how_many_are_asked_for()
    {
        var vectors = new SyntheticVectors(Dim, seed: 5);
        using VectorBlock few = vectors.Base(10, Work.Quiet);
        using VectorBlock more = vectors.Base(2_000, Work.Quiet);
        Samples.AssertSame(few, more.Slice(0, 10));
    }

    [Fact]
    public void No_query_is_a_base_vector_and_no_vector_comes_twice()
    {
        var vectors = new SyntheticVectors(Dim, seed: 5);
        using VectorBlock rows = vectors.Base(5_000, Work.Quiet);
        using VectorBlock queries = vectors.Queries(1_000, Work.Quiet);
        var seen = new HashSet<string>();
        foreach (VectorBlock block in new[] { rows, queries })
        {
            for (long row = 0; row < block.Count; row++)
            {
                Assert.Equal(-1, Elements.IndexOfNonFinite(block.RowSpan(row), block.Type));
                Assert.True(seen.Add(Convert.ToHexString(block.RowSpan(row))));
            }
        }
    }

    [Fact]
    public void The_local_intrinsic_dimension_is_that_of_real_embeddings()
    {
        // Neither as easy as well separated clusters nor as hopeless as noise, whose dimension would be near 100.
        var vectors = new SyntheticVectors(128, seed: 1);
        using VectorBlock rows = vectors.Base(10_000, new Work(2));
        using VectorBlock queries = vectors.Queries(50, Work.Quiet);
        double mean = 0;
        for (int query = 0; query < queries.Count; query++)
        {
            mean += LocalIntrinsicDimension(rows, queries, query, k: 100) / queries.Count;
        }

        Assert.InRange(mean, 15, 25);
    }

    /// <summary>Maximum likelihood estimate over the k nearest (Levina, Bickel 2004).</summary>
    private static double LocalIntrinsicDimension(VectorBlock rows, VectorBlock queries, int query, int k)
    {
        float[] x = new float[rows.Dim];
        float[] y = new float[rows.Dim];
        double[] squares = new double[rows.Count];
        queries.CopyRow(query, x);
        for (long row = 0; row < rows.Count; row++)
        {
            rows.CopyRow(row, y);
            double sum = 0;
            for (int i = 0; i < x.Length; i++)
            {
                sum += (double)(x[i] - y[i]) * (x[i] - y[i]);
            }

            squares[row] = sum;
        }

        Array.Sort(squares);
        return -1 / squares.Take(k - 1).Average(square => 0.5 * Math.Log(square / squares[k - 1]));
    }
}
