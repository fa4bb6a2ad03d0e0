using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Bench.Kernels;

/// <summary>The data of the benchmarks: the same at every run.</summary>
internal static class RandomVectors
{
    public static VectorBlock Block(ElementType type, int count, int dim, ulong seed)
    {
        VectorBlock block = VectorBlock.Allocate(count, dim, type);
        Span<float> row = new float[dim];
        for (int i = 0; i < count; i++)
        {
            var random = new Seeded(seed, (ulong)i);
            for (int j = 0; j < dim; j++)
            {
                row[j] = type == ElementType.UInt8 ? random.Next(256) : random.Next(255) - 127;
            }

            if (Elements.FromFloat(row, type, Bytes(block, i)) is { } problem)
            {
                throw new ProblemException(problem);
            }
        }

        return block;
    }

    private static unsafe Span<byte> Bytes(VectorBlock block, long row) => new(block.Row(row), block.RowBytes);
}
