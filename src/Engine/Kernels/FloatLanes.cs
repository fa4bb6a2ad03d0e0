using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Signpost.Engine.Kernels;

/// <summary>float32 in every width: fused multiply-add where the processor has it.</summary>
internal readonly unsafe struct FloatLanes
    : ILanes<Vector512<float>>, ILanes<Vector256<float>>, ILanes<Vector128<float>>, ILanes<float>
{
    static int ILanes<Vector512<float>>.Units => 16;

    static int ILanes<Vector256<float>>.Units => 8;

    static int ILanes<Vector128<float>>.Units => 4;

    static int ILanes<float>.Units => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<float> ILanes<Vector512<float>>.Load(byte* units) => Vector512.Load((float*)units);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> ILanes<Vector256<float>>.Load(byte* units) => Vector256.Load((float*)units);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector128<float> ILanes<Vector128<float>>.Load(byte* units) => Vector128.Load((float*)units);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static float ILanes<float>.Load(byte* units) => Unsafe.ReadUnaligned<float>(units);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, byte* units) => value.Store((float*)units);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> value, byte* units) => value.Store((float*)units);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<float> value, byte* units) => value.Store((float*)units);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float value, byte* units) => Unsafe.WriteUnaligned(units, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<float> ILanes<Vector512<float>>.Broadcast(byte* unit) => Vector512.Create(*(float*)unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> ILanes<Vector256<float>>.Broadcast(byte* unit) => Vector256.Create(*(float*)unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector128<float> ILanes<Vector128<float>>.Broadcast(byte* unit) => Vector128.Create(*(float*)unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static float ILanes<float>.Broadcast(byte* unit) => *(float*)unit;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> And(Vector512<float> operand, Vector512<float> mask) => operand & mask;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> And(Vector256<float> operand, Vector256<float> mask) => operand & mask;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> And(Vector128<float> operand, Vector128<float> mask) => operand & mask;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float And(float operand, float mask) =>
        BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(operand) & BitConverter.SingleToInt32Bits(mask));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Subtract(Vector512<float> a, Vector512<float> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Subtract(Vector256<float> a, Vector256<float> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Subtract(Vector128<float> a, Vector128<float> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Subtract(float a, float b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> sum) =>
        Vector512.MultiplyAddEstimate(a, b, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> sum) =>
        Vector256.MultiplyAddEstimate(a, b, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> sum) =>
        Vector128.MultiplyAddEstimate(a, b, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MultiplyAdd(float a, float b, float sum) => a * b + sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Add(Vector128<float> a, Vector128<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float a, float b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Total(Vector512<float> sum) => Vector512.Sum(sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Total(Vector256<float> sum) => Vector256.Sum(sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Total(Vector128<float> sum) => Vector128.Sum(sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Total(float sum) => sum;
}
