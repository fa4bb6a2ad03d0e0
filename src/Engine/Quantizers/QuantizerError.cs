using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Quantizers;

/// <summary>How much of a vector its code loses.</summary>
public static unsafe class QuantizerError
{
    private const int ChunkRows = 1024;

    /// <summary>
    /// Mean over <paramref name="vectors"/> (at least one) of the squared distance between a vector, normalised under cosine, and what
    /// the nearest codewords decode to. Codes that are refined for the walk have a larger error.
    /// </summary>
    public static double MeanSquared(IQuantizer quantizer, VectorBlock vectors, Work work)
    {
        Check.That(vectors.Count > 0 && vectors.Dim == quantizer.Dim);
        var sums = new double[(vectors.Count + ChunkRows - 1) / ChunkRows];
        work.For("measure code error", vectors.Count, ChunkRows, (from, to, _) =>
            sums[from / ChunkRows] = Sum(quantizer, vectors, from, (int)(to - from)));
        return sums.Sum() / vectors.Count;
    }

    private static double Sum(IQuantizer quantizer, VectorBlock vectors, long from, int count)
    {
        var codes = new byte[count * quantizer.CodeBytes];
        fixed (byte* target = codes)
        {
            quantizer.Encode(vectors, from, count, target);
        }

        var vector = new float[quantizer.Dim];
        var decoded = new float[quantizer.Dim];
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            fixed (float* row = vector)
            {
                FloatRows.Read(vectors, from + i, 1, quantizer.Metric, row);
            }

            quantizer.Decode(codes.AsSpan(i * quantizer.CodeBytes, quantizer.CodeBytes), decoded);
            for (int d = 0; d < vector.Length; d++)
            {
                double difference = vector[d] - decoded[d];
                sum += difference * difference;
            }
        }

        return sum;
    }
}
