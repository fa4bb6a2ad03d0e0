using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Signpost.Engine.Kernels;

/// <summary>Components that are float32 already.</summary>
internal readonly unsafe struct Float32
    : IElement, IElement<Vector512<float>>, IElement<Vector256<float>>, IElement<Vector128<float>>, IElement<float>
{
    public static int Bytes => 4;

    static int IElement<Vector512<float>>.Count => 16;

    static int IElement<Vector256<float>>.Count => 8;

    static int IElement<Vector128<float>>.Count => 4;

    static int IElement<float>.Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TResult Select<TUser, TWidth, TResult>(TUser user)
        where TUser : struct, ILanesUser<TResult>
        where TWidth : struct, ISimdWidth => Widths.Floats<Float32, TUser, TWidth, TResult>(user);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<float> IElement<Vector512<float>>.Load(byte* components) => Vector512.Load((float*)components);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IElement<Vector256<float>>.Load(byte* components) => Vector256.Load((float*)components);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector128<float> IElement<Vector128<float>>.Load(byte* components) => Vector128.Load((float*)components);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static float IElement<float>.Load(byte* components) => Unsafe.ReadUnaligned<float>(components);
}

/// <summary>
/// IEEE half precision, widened exactly. The bits of a half, moved to where a float has them, are that float times 2^-112, also
/// for subnormal halves; one multiplication mends that. (Infinity and NaN, which no stored vector has, become large numbers.)
/// </summary>
internal readonly unsafe struct Float16
    : IElement, IElement<Vector512<float>>, IElement<Vector256<float>>, IElement<Vector128<float>>, IElement<float>
{
    private const float Scale = 5.192296858534828e33f; // 2^112
    private const int SignAndValue = unchecked((int)0x8FFFE000);

    public static int Bytes => 2;

    static int IElement<Vector512<float>>.Count => 16;

    static int IElement<Vector256<float>>.Count => 8;

    static int IElement<Vector128<float>>.Count => 4;

    static int IElement<float>.Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TResult Select<TUser, TWidth, TResult>(TUser user)
        where TUser : struct, ILanesUser<TResult>
        where TWidth : struct, ISimdWidth => Widths.Floats<Float16, TUser, TWidth, TResult>(user);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<float> IElement<Vector512<float>>.Load(byte* components)
    {
        Vector256<short> halves = Vector256.Load((short*)components);
        Vector512<int> wide = Avx512F.IsSupported
            ? Avx512F.ConvertToVector512Int32(halves)
            : Vector512.Create(Vector256.WidenLower(halves), Vector256.WidenUpper(halves));
        return ((wide << 13) & Vector512.Create(SignAndValue)).AsSingle() * Vector512.Create(Scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> IElement<Vector256<float>>.Load(byte* components)
    {
        Vector128<short> halves = Vector128.Load((short*)components);
        Vector256<int> wide = Avx2.IsSupported
            ? Avx2.ConvertToVector256Int32(halves)
            : Vector256.Create(Vector128.WidenLower(halves), Vector128.WidenUpper(halves));
        return ((wide << 13) & Vector256.Create(SignAndValue)).AsSingle() * Vector256.Create(Scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector128<float> IElement<Vector128<float>>.Load(byte* components)
    {
        Vector128<int> wide = Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<long>(components)).AsInt16());
        return ((wide << 13) & Vector128.Create(SignAndValue)).AsSingle() * Vector128.Create(Scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static float IElement<float>.Load(byte* components) =>
        BitConverter.Int32BitsToSingle((Unsafe.ReadUnaligned<short>(components) << 13) & SignAndValue) * Scale;
}
