using Signpost.Engine.Vectors;

namespace Signpost.Engine.Kernels;

/// <summary>The dull truth beside the clever kernels: one component at a time, in double precision. For tests and benchmarks.</summary>
internal static unsafe class Reference
{
    /// <summary>The distance of two vectors, not rounded; smaller is closer.</summary>
    public static double Distance(Metric metric, ElementType type, byte* x, byte* y, int dim)
    {
        double differences = 0, xy = 0, xx = 0, yy = 0;
        for (int i = 0; i < dim; i++)
        {
            double a = Component(type, x, i);
            double b = Component(type, y, i);
            differences += (a - b) * (a - b);
            xy += a * b;
            xx += a * a;
            yy += b * b;
        }

        return metric switch
        {
            Metric.L2 => differences,
            Metric.InnerProduct => -xy,
            Metric.Cosine => xx == 0 || yy == 0 ? 1 : 1 - xy / Math.Sqrt(xx * yy),
            _ => throw new ArgumentOutOfRangeException(nameof(metric), metric, "unknown metric"),
        };
    }

    /// <summary>The distance of a code: the sum of one entry per subspace of a table of shape [m, k], k = 256 or 16.</summary>
    public static double Adc(byte* code, float* table, int m, int k)
    {
        double sum = 0;
        for (int i = 0; i < m; i++)
        {
            int word = k == 256 ? code[i] : (code[i / 2] >> (i % 2 * 4)) & 15;
            sum += table[i * k + word];
        }

        return sum;
    }

    private static double Component(ElementType type, byte* vector, int i) => type switch
    {
        ElementType.Float32 => ((float*)vector)[i],
        ElementType.Float16 => (double)((Half*)vector)[i],
        ElementType.UInt8 => vector[i],
        ElementType.Int8 => ((sbyte*)vector)[i],
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "unknown element type"),
    };
}
