using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Quantizers;

public class SubspaceVariancesTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(7)]
    public void They_are_those_of_the_rotated_vectors(int rotatedDim)
    {
        const int Dim = 10;
        using VectorBlock vectors = TestVectors.Correlated(700, Dim, 4);
        ProductQuantizer quantizer = ProductQuantizerTests.RandomQuantizer(Metric.L2, Dim, 3, 16, rotatedDim, 8);
        float[][] rotated = [.. Enumerable.Range(0, (int)vectors.Count).Select(i => ProductQuantizerTests.Rotated(quantizer, TestVectors.Row(vectors, i)))];

        double[] variances = SubspaceVariances.Of(quantizer, vectors);

        for (int m = 0; m < 3; m++)
        {
            double expected = 0;
            for (int d = Subspaces.Offset(quantizer.RotatedDim, 3, m); d < Subspaces.Offset(quantizer.RotatedDim, 3, m + 1); d++)
            {
                double mean = rotated.Average(row => (double)row[d]);
                expected += rotated.Average(row => (row[d] - mean) * (row[d] - mean));
            }

            Assert.Equal(expected, variances[m], expected * 1e-5);
        }
    }

    [Fact]
    public void A_whole_rotation_moves_variance_between_subspaces_and_loses_none()
    {
        using VectorBlock vectors = TestVectors.Correlated(500, 12, 4);

        double before = SubspaceVariances.Of(ProductQuantizerTests.RandomQuantizer(Metric.L2, 12, 4, 16, 0, 8), vectors).Sum();
        double after = SubspaceVariances.Of(ProductQuantizerTests.RandomQuantizer(Metric.L2, 12, 4, 16, 12, 8), vectors).Sum();

        Assert.Equal(before, after, before * 1e-5);
    }
}
