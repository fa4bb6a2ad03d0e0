using System.Runtime.CompilerServices;
using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Search;

namespace Signpost.Engine.Build;

/// <summary>Distance of one vertex to others in the space of the build.</summary>
internal readonly unsafe struct VertexDistance<TPair>(BuildSpace space, int vertex) : IDistance
    where TPair : struct, IPairDistance
{
    private readonly ExactDistance<TPair> _exact = new(space.Vectors, space.Vectors.Row(vertex));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(uint id) => _exact.Prefetch(id);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void To(uint* ids, int count, float* distances)
    {
        _exact.To(ids, count, distances);
        if (space.IsLifted)
        {
            for (int i = 0; i < count; i++)
            {
                distances[i] -= space.LiftOf(vertex) * space.LiftOf((int)ids[i]);
            }
        }
    }
}
