using Signpost.Engine.Kernels;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Kernels;

/// <summary>The kernels in one SIMD width.</summary>
internal unsafe interface IKernels
{
    float Between(Metric metric, ElementType type, byte* x, byte* y, int dim);

    void Distances(
        Metric metric, ElementType type, byte* x, long xStride, int xCount, byte* y, long yStride, int yCount, int dim, float* distances,
        long rowStride);

    void MultiplyTransposed(float* a, int aRows, float* b, int bRows, int dim, float* c);
}

/// <inheritdoc/>
internal sealed unsafe class KernelsOf<TWidth> : IKernels
    where TWidth : struct, ISimdWidth
{
    public float Between(Metric metric, ElementType type, byte* x, byte* y, int dim) =>
        PairDistances.Between<TWidth>(metric, type, x, y, dim);

    public void Distances(
        Metric metric, ElementType type, byte* x, long xStride, int xCount, byte* y, long yStride, int yCount, int dim, float* distances,
        long rowStride) => Pairwise.Distances<TWidth>(metric, type, x, xStride, xCount, y, yStride, yCount, dim, distances, rowStride);

    public void MultiplyTransposed(float* a, int aRows, float* b, int bRows, int dim, float* c) =>
        MatrixProduct.MultiplyTransposed<TWidth>(a, aRows, b, bRows, dim, c);
}
