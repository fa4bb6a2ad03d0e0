using System.Runtime.CompilerServices;

namespace Signpost.Engine.Search;

/// <summary>The rule that decides which neighbours of an expanded vertex a search looks at. Implementations are structs.</summary>
public unsafe interface IRoute
{
    /// <summary>Moves the chosen ones of <paramref name="count"/> neighbours to the front, in order; returns how many.</summary>
    int Choose(uint vertex, uint* neighbours, int count);
}

/// <summary>Best-first search (GA): every neighbour is looked at.</summary>
public readonly unsafe struct GreedyRoute : IRoute
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Choose(uint vertex, uint* neighbours, int count) => count;
}
