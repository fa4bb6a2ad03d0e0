using System.Runtime.Intrinsics;

namespace Signpost.Engine.Kernels;

/// <summary>The widest vectors that a kernel may use, as a type: the JIT folds the answers, so one path is left.</summary>
internal interface ISimdWidth
{
    /// <summary>True where 512-bit vectors are to be used.</summary>
    static abstract bool Use512 { get; }

    /// <summary>True where 256-bit vectors may be used.</summary>
    static abstract bool Use256 { get; }

    /// <summary>True where 128-bit vectors may be used.</summary>
    static abstract bool Use128 { get; }
}

/// <summary>What the processor has.</summary>
internal readonly struct Native : ISimdWidth
{
    public static bool Use512 => Vector512.IsHardwareAccelerated;

    public static bool Use256 => Vector256.IsHardwareAccelerated;

    public static bool Use128 => Vector128.IsHardwareAccelerated;
}

/// <summary>256 bits at most.</summary>
internal readonly struct Max256 : ISimdWidth
{
    public static bool Use512 => false;

    public static bool Use256 => Vector256.IsHardwareAccelerated;

    public static bool Use128 => Vector128.IsHardwareAccelerated;
}

/// <summary>128 bits at most.</summary>
internal readonly struct Max128 : ISimdWidth
{
    public static bool Use512 => false;

    public static bool Use256 => false;

    public static bool Use128 => Vector128.IsHardwareAccelerated;
}

/// <summary>No vectors.</summary>
internal readonly struct ScalarOnly : ISimdWidth
{
    public static bool Use512 => false;

    public static bool Use256 => false;

    public static bool Use128 => false;
}
