using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Kernels;

namespace Signpost.Engine.Build;

/// <summary>
/// Edge selection of NSG (Fu, Xiang, Wang, Cai, "Fast Approximate Nearest Neighbor Search with the Navigating Spreading-out
/// Graph", PVLDB 12(5), 2019, section 3.3): a candidate is dropped when a kept neighbour is strictly closer to it than the vertex is (the
/// rule of the relative neighbourhood graph).
/// </summary>
/// <param name="space">Space of the build.</param>
/// <param name="r">Most neighbours kept.</param>
internal sealed unsafe class Prune(BuildSpace space, int r) : IDisposable
{
    private readonly AlignedBuffer _kept = new((long)r * ((space.Vectors.RowBytes + 63) / 64 * 64));
    private readonly float[] _lifts = new float[r];
    private readonly float[] _selves = new float[r]; // distance of a kept neighbour to itself, hence to its copies
    private readonly int _stride = (space.Vectors.RowBytes + 63) / 64 * 64;

    /// <summary>Ids kept by the last <see cref="Rng"/>, nearest first.</summary>
    public uint[] Ids { get; } = new uint[r];

    /// <summary>Selects from <paramref name="candidates"/>: keys in ascending order, each vertex once, without the vertex itself.</summary>
    /// <returns>How many were kept, at most R.</returns>
    public int Rng<TPair>(ReadOnlySpan<ulong> candidates)
        where TPair : struct, IPairDistance
    {
        const int ahead = 4;
        int dim = space.Vectors.Dim;
        int rowBytes = space.Vectors.RowBytes;
        int count = 0;
        for (int c = 0; c < candidates.Length && count < r; c++)
        {
            if (c + ahead < candidates.Length)
            {
                Memory.Prefetch(space.Vectors.Row((uint)candidates[c + ahead] >> 1));
                Memory.Prefetch(space.Vectors.Row((uint)candidates[c + ahead] >> 1) + Math.Min(64, rowBytes - 1));
            }

            uint id = (uint)candidates[c] >> 1;
            float toVertex = CandidateList.DistanceOf(candidates[c]);
            byte* row = space.Vectors.Row(id);
            float lift = space.LiftOf((int)id);
            bool occluded = false;
            for (int i = 0; i < count && !occluded; i++)
            {
                float toKept = TPair.Between(row, _kept.Pointer + (long)i * _stride, dim) - lift * _lifts[i];
                occluded = toKept < toVertex || toKept <= _selves[i]; // copies of a kept neighbour hang on to it
            }

            if (!occluded)
            {
                Buffer.MemoryCopy(row, _kept.Pointer + (long)count * _stride, rowBytes, rowBytes);
                _lifts[count] = lift;
                _selves[count] = space.IsLifted ? TPair.Between(row, row, dim) - lift * lift : 0;
                Ids[count++] = id;
            }
        }

        return count;
    }

    /// <inheritdoc/>
    public void Dispose() => _kept.Dispose();
}
