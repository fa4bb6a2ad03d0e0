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

/// <summary>
/// Best-first search on the graph without one vertex: a stored vector that asks about itself walks as a vector would that is not
/// stored, and never by way of itself. The entry is where a walk begins, hidden or not.
/// </summary>
/// <param name="hidden">The vertex; one beyond the graph hides nothing.</param>
internal readonly unsafe struct HidingRoute(uint hidden) : IRoute
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Choose(uint vertex, uint* neighbours, int count)
    {
        int chosen = 0;
        for (int i = 0; i < count; i++)
        {
            uint id = neighbours[i];
            neighbours[chosen] = id;
            chosen += id != hidden ? 1 : 0;
        }

        return chosen;
    }
}
