using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Signpost.Engine.Kernels;

/// <summary>A type of component, apart from any width.</summary>
internal interface IElement
{
    /// <summary>Runs <paramref name="user"/> compiled for this type in the width that <typeparamref name="TWidth"/> allows.</summary>
    static abstract TResult Select<TUser, TWidth, TResult>(TUser user)
        where TUser : struct, ILanesUser<TResult>
        where TWidth : struct, ISimdWidth;
}

/// <summary>Code that is compiled for one component type in one width.</summary>
internal interface ILanesUser<out TResult>
{
    /// <summary>Called once with the chosen types.</summary>
    TResult Use<TElement, TLanes, V>()
        where TElement : struct, IElement<V>
        where TLanes : struct, ILanes<V>
        where V : struct;
}

/// <summary>The choice of a width, folded away by the JIT.</summary>
internal static class Widths
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TResult Floats<TElement, TUser, TWidth, TResult>(TUser user)
        where TElement : struct, IElement<Vector512<float>>, IElement<Vector256<float>>, IElement<Vector128<float>>, IElement<float>
        where TUser : struct, ILanesUser<TResult>
        where TWidth : struct, ISimdWidth
    {
        if (TWidth.Use512)
        {
            return user.Use<TElement, FloatLanes, Vector512<float>>();
        }

        if (TWidth.Use256)
        {
            return user.Use<TElement, FloatLanes, Vector256<float>>();
        }

        return TWidth.Use128 ? user.Use<TElement, FloatLanes, Vector128<float>>() : user.Use<TElement, FloatLanes, float>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TResult Integers<TElement, TUser, TWidth, TResult>(TUser user)
        where TElement : struct, IElement<Vector512<int>>, IElement<Vector256<int>>, IElement<Vector128<int>>, IElement<int>
        where TUser : struct, ILanesUser<TResult>
        where TWidth : struct, ISimdWidth
    {
        if (TWidth.Use512)
        {
            return user.Use<TElement, IntegerLanes, Vector512<int>>();
        }

        if (TWidth.Use256)
        {
            return user.Use<TElement, IntegerLanes, Vector256<int>>();
        }

        return TWidth.Use128 ? user.Use<TElement, IntegerLanes, Vector128<int>>() : user.Use<TElement, IntegerLanes, int>();
    }
}
