using Signpost.Engine.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Kernels;

public sealed unsafe class NegativeZeroTests
{
    [Fact]
    public void Orthogonal_vectors_are_at_distance_zero_and_not_at_its_negative()
    {
        using VectorBlock vectors = VectorBlock.Of([1, 0, 0, 1], 2);
        float one = PairDistances.Between(Metric.InnerProduct, ElementType.Float32, vectors.Row(0), vectors.Row(1), 2);
        var block = new float[4];
        fixed (float* distances = block)
        {
            Pairwise.Distances(Metric.InnerProduct, ElementType.Float32, vectors.Row(0), vectors.StrideBytes, 2, vectors.Row(0), vectors.StrideBytes, 2, 2, distances, 2);
        }

        Assert.Equal(0, BitConverter.SingleToInt32Bits(one));
        Assert.Equal(0, BitConverter.SingleToInt32Bits(block[1]));
    }
}
