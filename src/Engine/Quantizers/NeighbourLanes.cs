using System.Numerics;

namespace Signpost.Engine.Quantizers;

/// <summary>Loops over neighbours or codewords, a whole number of the widest vectors.</summary>
internal static unsafe class NeighbourLanes
{
    /// <summary>Numbers of neighbours are multiples of this.</summary>
    public const int Most = 16;

    /// <summary>Sum of the products.</summary>
    public static float Dot(float* x, float* y, int count)
    {
        Vector<float> sum = Vector<float>.Zero;
        for (int i = 0; i < count; i += Vector<float>.Count)
        {
            sum = Vector.FusedMultiplyAdd(Vector.Load(x + i), Vector.Load(y + i), sum);
        }

        return Vector.Sum(sum);
    }

    /// <summary>y += factor x.</summary>
    public static void AddScaled(float* x, float factor, float* y, int count)
    {
        var factors = new Vector<float>(factor);
        for (int i = 0; i < count; i += Vector<float>.Count)
        {
            Vector.FusedMultiplyAdd(Vector.Load(x + i), factors, Vector.Load(y + i)).Store(y + i);
        }
    }

    /// <summary>target = (x + shift) present; x may hold anything where present is 0.</summary>
    public static void Shift(float* x, float* present, float shift, float* target, int count)
    {
        var shifts = new Vector<float>(shift);
        for (int i = 0; i < count; i += Vector<float>.Count)
        {
            Vector<int> there = Vector.GreaterThan(Vector.Load(present + i), Vector<float>.Zero);
            Vector.ConditionalSelect(there, Vector.Load(x + i) + shifts, Vector<float>.Zero).Store(target + i);
        }
    }

    /// <summary>Place of the least, the first of equals; 0 where there is a NaN.</summary>
    public static int Least(float* x, int count)
    {
        Vector<float> least = Vector.Load(x);
        for (int i = Vector<float>.Count; i < count; i += Vector<float>.Count)
        {
            least = Vector.Min(least, Vector.Load(x + i));
        }

        float value = least[0];
        for (int lane = 1; lane < Vector<float>.Count; lane++)
        {
            value = MathF.Min(value, least[lane]);
        }

        return Math.Max(0, new ReadOnlySpan<float>(x, count).IndexOf(value));
    }
}
