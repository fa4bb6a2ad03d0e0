using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Kernels;

/// <summary>Picks the closed type for a metric and element type.</summary>
public static unsafe class PairDistances
{
    public static TResult Select<TResult, TUser>(Metric metric, ElementType type, TUser user)
        where TUser : IPairDistanceUser<TResult> => (metric, type) switch
        {
            (Metric.L2, ElementType.UInt8) => user.Use<L2UInt8>(),
            (Metric.L2, ElementType.Float32) => user.Use<L2Float32>(),
            _ => throw new NotImplementedException(),
        };

    private readonly struct L2UInt8 : IPairDistance
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static float Between(byte* x, byte* y, int dim)
        {
            Vector512<int> s0 = default, s1 = default;
            int i = 0;
            for (; i + 64 <= dim; i += 64)
            {
                Vector512<short> a = Avx512BW.ConvertToVector512Int16(Vector256.Load(x + i));
                Vector512<short> b = Avx512BW.ConvertToVector512Int16(Vector256.Load(y + i));
                Vector512<short> c = Avx512BW.ConvertToVector512Int16(Vector256.Load(x + i + 32));
                Vector512<short> d = Avx512BW.ConvertToVector512Int16(Vector256.Load(y + i + 32));
                a -= b;
                c -= d;
                s0 += Avx512BW.MultiplyAddAdjacent(a, a);
                s1 += Avx512BW.MultiplyAddAdjacent(c, c);
            }

            int sum = Vector512.Sum(s0 + s1);
            for (; i < dim; i++)
            {
                int e = x[i] - y[i];
                sum += e * e;
            }

            return sum;
        }
    }

    private readonly struct L2Float32 : IPairDistance
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static float Between(byte* x, byte* y, int dim)
        {
            float* a = (float*)x;
            float* b = (float*)y;
            Vector512<float> s = default;
            int i = 0;
            for (; i + 16 <= dim; i += 16)
            {
                Vector512<float> e = Vector512.Load(a + i) - Vector512.Load(b + i);
                s = Vector512.FusedMultiplyAdd(e, e, s);
            }

            float sum = Vector512.Sum(s);
            for (; i < dim; i++)
            {
                sum += (a[i] - b[i]) * (a[i] - b[i]);
            }

            return sum;
        }
    }
}
