using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Signpost.Engine.Base;

/// <summary>
/// Invariants of the program itself. A failure is a defect of Signpost, never of its input, and the check stays on in Release.
/// Bad input is a <see cref="Problem"/>; a damaged file is a <see cref="BadFileException"/>.
/// </summary>
public static class Check
{
    /// <summary>Throws <see cref="CheckFailedException"/>, quoting the expression, unless <paramref name="condition"/> holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void That(
        [DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string expression = "")
    {
        if (!condition)
        {
            Fail(expression);
        }
    }

    /// <summary>Throws <see cref="CheckFailedException"/>: the place that calls this cannot be reached.</summary>
    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Fail(string what) => throw new CheckFailedException(what);
}

/// <summary>A broken invariant of the program.</summary>
public sealed class CheckFailedException(string expression)
    : InvalidOperationException($"Check failed: {expression}. This is a defect of Signpost; please report it with this text.");
