using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Kernels;

/// <summary>Random components, and how near a kernel must come to the truth.</summary>
internal static unsafe class Components
{
    /// <summary>Rounding of some thousand float32 additions in another order, relative to the sum of what is added.</summary>
    public const double FloatTolerance = 2e-6;

    public static IEnumerable<(Metric Metric, ElementType Type)> AllPairs =>
        from metric in Enum.GetValues<Metric>() from type in Enum.GetValues<ElementType>() select (metric, type);

    public static bool IsInteger(this ElementType type) => type is ElementType.UInt8 or ElementType.Int8;

    /// <summary>Gaussian floats, or uniform integers over the whole range.</summary>
    public static void Fill(ElementType type, byte* vector, int dim, ulong seed)
    {
        var random = new Seeded(seed, (ulong)dim);
        for (int i = 0; i < dim; i++)
        {
            switch (type)
            {
                case ElementType.Float32:
                    ((float*)vector)[i] = (float)random.NextGaussian();
                    break;
                case ElementType.Float16:
                    ((Half*)vector)[i] = (Half)random.NextGaussian();
                    break;
                default:
                    vector[i] = (byte)random.Next(256);
                    break;
            }
        }
    }

    /// <summary>Integers must give the rounded truth under l2 and ip; everything else may differ by rounding.</summary>
    public static void AssertNear(Metric metric, ElementType type, byte* x, byte* y, int dim, float got, string where)
    {
        double want = Engine.Kernels.Reference.Distance(metric, type, x, y, dim);
        if (type.IsInteger() && metric != Metric.Cosine)
        {
            Assert.True(got == (float)want, $"{where}: got {got}, expected exactly {(float)want}");
            return;
        }

        double lengths = Math.Sqrt(Length(type, x, dim) * Length(type, y, dim));
        double scale = metric switch { Metric.L2 => want, Metric.InnerProduct => lengths, _ => 1 };
        Assert.True(Math.Abs(got - want) <= FloatTolerance * scale, $"{where}: got {got}, expected {want} within {FloatTolerance * scale}");
    }

    private static double Length(ElementType type, byte* x, int dim) =>
        -Engine.Kernels.Reference.Distance(Metric.InnerProduct, type, x, x, dim);
}
