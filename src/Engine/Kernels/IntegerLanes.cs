using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Signpost.Engine.Kernels;

/// <summary>
/// Pairs of int16 in every width, summed in int32 (pmaddwd). Exact while all products of a sum stay below 2^31 together:
/// up to 33,025 components of 8 bits.
/// </summary>
internal readonly unsafe struct IntegerLanes
    : ILanes<Vector512<int>>, ILanes<Vector256<int>>, ILanes<Vector128<int>>, ILanes<int>
{
    static int ILanes<Vector512<int>>.Units => 16;

    static int ILanes<Vector256<int>>.Units => 8;

    static int ILanes<Vector128<int>>.Units => 4;

    static int ILanes<int>.Units => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<int> ILanes<Vector512<int>>.Load(byte* units) => Vector512.Load((int*)units);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<int> ILanes<Vector256<int>>.Load(byte* units) => Vector256.Load((int*)units);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector128<int> ILanes<Vector128<int>>.Load(byte* units) => Vector128.Load((int*)units);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int ILanes<int>.Load(byte* units) => Unsafe.ReadUnaligned<int>(units);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<int> value, byte* units) => value.Store((int*)units);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<int> value, byte* units) => value.Store((int*)units);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<int> value, byte* units) => value.Store((int*)units);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(int value, byte* units) => Unsafe.WriteUnaligned(units, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<int> ILanes<Vector512<int>>.Broadcast(byte* unit) => Vector512.Create(*(int*)unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<int> ILanes<Vector256<int>>.Broadcast(byte* unit) => Vector256.Create(*(int*)unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector128<int> ILanes<Vector128<int>>.Broadcast(byte* unit) => Vector128.Create(*(int*)unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int ILanes<int>.Broadcast(byte* unit) => *(int*)unit;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> And(Vector512<int> operand, Vector512<int> mask) => operand & mask;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> And(Vector256<int> operand, Vector256<int> mask) => operand & mask;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> And(Vector128<int> operand, Vector128<int> mask) => operand & mask;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int And(int operand, int mask) => operand & mask;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Subtract(Vector512<int> a, Vector512<int> b) => (a.AsInt16() - b.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Subtract(Vector256<int> a, Vector256<int> b) => (a.AsInt16() - b.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Subtract(Vector128<int> a, Vector128<int> b) => (a.AsInt16() - b.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Subtract(int a, int b) => (((a >> 16) - (b >> 16)) << 16) | (ushort)(a - b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> MultiplyAdd(Vector512<int> a, Vector512<int> b, Vector512<int> sum) =>
        Avx512BW.IsSupported
            ? sum + Avx512BW.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16())
            : sum + (a >> 16) * (b >> 16) + ((a << 16) >> 16) * ((b << 16) >> 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyAdd(Vector256<int> a, Vector256<int> b, Vector256<int> sum) =>
        Avx2.IsSupported
            ? sum + Avx2.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16())
            : sum + (a >> 16) * (b >> 16) + ((a << 16) >> 16) * ((b << 16) >> 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> MultiplyAdd(Vector128<int> a, Vector128<int> b, Vector128<int> sum) =>
        Sse2.IsSupported
            ? sum + Sse2.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16())
            : sum + (a >> 16) * (b >> 16) + ((a << 16) >> 16) * ((b << 16) >> 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MultiplyAdd(int a, int b, int sum) => sum + (a >> 16) * (b >> 16) + (short)a * (short)b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Add(Vector512<int> a, Vector512<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> a, Vector256<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Add(Vector128<int> a, Vector128<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Add(int a, int b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Total(Vector512<int> sum) => Vector512.Sum(sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Total(Vector256<int> sum) => Vector256.Sum(sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Total(Vector128<int> sum) => Vector128.Sum(sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Total(int sum) => sum;
}
