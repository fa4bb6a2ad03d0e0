using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Signpost.Engine.Kernels;

/// <summary>Unsigned bytes, widened to int16.</summary>
internal readonly unsafe struct UInt8
    : IElement, IElement<Vector512<int>>, IElement<Vector256<int>>, IElement<Vector128<int>>, IElement<int>
{
    public static int Bytes => 1;

    static int IElement<Vector512<int>>.Count => 32;

    static int IElement<Vector256<int>>.Count => 16;

    static int IElement<Vector128<int>>.Count => 8;

    static int IElement<int>.Count => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TResult Select<TUser, TWidth, TResult>(TUser user)
        where TUser : struct, ILanesUser<TResult>
        where TWidth : struct, ISimdWidth => Widths.Integers<UInt8, TUser, TWidth, TResult>(user);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<int> IElement<Vector512<int>>.Load(byte* components)
    {
        Vector256<byte> bytes = Vector256.Load(components);
        return Avx512BW.IsSupported
            ? Avx512BW.ConvertToVector512Int16(bytes).AsInt32()
            : Vector512.Create(Vector256.WidenLower(bytes), Vector256.WidenUpper(bytes)).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<int> IElement<Vector256<int>>.Load(byte* components)
    {
        Vector128<byte> bytes = Vector128.Load(components);
        return Avx2.IsSupported
            ? Avx2.ConvertToVector256Int16(bytes).AsInt32()
            : Vector256.Create(Vector128.WidenLower(bytes), Vector128.WidenUpper(bytes)).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector128<int> IElement<Vector128<int>>.Load(byte* components) =>
        Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(components)).AsByte()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int IElement<int>.Load(byte* components) => components[0] | (components[1] << 16);
}

/// <summary>Signed bytes, widened to int16.</summary>
internal readonly unsafe struct Int8
    : IElement, IElement<Vector512<int>>, IElement<Vector256<int>>, IElement<Vector128<int>>, IElement<int>
{
    public static int Bytes => 1;

    static int IElement<Vector512<int>>.Count => 32;

    static int IElement<Vector256<int>>.Count => 16;

    static int IElement<Vector128<int>>.Count => 8;

    static int IElement<int>.Count => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TResult Select<TUser, TWidth, TResult>(TUser user)
        where TUser : struct, ILanesUser<TResult>
        where TWidth : struct, ISimdWidth => Widths.Integers<Int8, TUser, TWidth, TResult>(user);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<int> IElement<Vector512<int>>.Load(byte* components)
    {
        Vector256<sbyte> bytes = Vector256.Load((sbyte*)components);
        return Avx512BW.IsSupported
            ? Avx512BW.ConvertToVector512Int16(bytes).AsInt32()
            : Vector512.Create(Vector256.WidenLower(bytes), Vector256.WidenUpper(bytes)).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<int> IElement<Vector256<int>>.Load(byte* components)
    {
        Vector128<sbyte> bytes = Vector128.Load((sbyte*)components);
        return Avx2.IsSupported
            ? Avx2.ConvertToVector256Int16(bytes).AsInt32()
            : Vector256.Create(Vector128.WidenLower(bytes), Vector128.WidenUpper(bytes)).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector128<int> IElement<Vector128<int>>.Load(byte* components) =>
        Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(components)).AsSByte()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int IElement<int>.Load(byte* components) => (ushort)(sbyte)components[0] + ((sbyte)components[1] << 16);
}
