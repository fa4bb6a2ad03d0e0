using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Shards;

/// <summary>Makes a segment of the vectors that others have in a range of slots.</summary>
internal static class SegmentMerge
{
    private const int RowsPerChunk = 1024;
    private const int SourceShift = 40; // a row is below 2^32, so a place below 2^40 and a source beyond it fit

    /// <summary>
    /// Builds and writes the segment of <paramref name="shard"/> from all that <paramref name="sources"/> have in its slots: the same as if it
    /// had been built of these vectors, whatever segments they are in.
    /// </summary>
    public static Segment Make(
        IDisk disk, string folder, CollectionManifest manifest, ManifestShard shard, IReadOnlyList<Segment> sources, GraphOptions graph, Work work)
    {
        (ulong[] ids, long[] places) = PlacesOf(sources, new SlotRange(shard.SlotFrom, shard.SlotTo), shard.Count);
        using VectorBlock vectors = VectorBlock.Allocate(ids.Length, manifest.Dim, manifest.Type);
        work.For("gathering vectors", ids.Length, RowsPerChunk, (from, to, _) =>
        {
            for (long i = from; i < to; i++)
            {
                VectorBlock source = sources[(int)(places[i] >> SourceShift)].Vectors;
                CopyRow(source.RowSpan(places[i] & ((1L << SourceShift) - 1)), vectors, i);
            }
        });
        return SegmentFile.Make(disk, folder, manifest, shard, vectors, ids, graph, work);
    }

    private static unsafe void CopyRow(ReadOnlySpan<byte> row, VectorBlock target, long at) => row.CopyTo(new Span<byte>(target.Row(at), target.RowBytes));

    /// <summary>Ids in the order of the vertices, which is theirs, and where each vector is.</summary>
    private static unsafe (ulong[] Ids, long[] Places) PlacesOf(IReadOnlyList<Segment> sources, SlotRange range, long count)
    {
        var ids = new ulong[count];
        var places = new long[count];
        int found = 0;
        for (int source = 0; source < sources.Count; source++)
        {
            for (long row = 0; row < sources[source].Info.Count; row++)
            {
                ulong id = sources[source].Ids[row];
                if (range.Owns(id))
                {
                    ids[found] = id;
                    places[found++] = ((long)source << SourceShift) | row;
                }
            }
        }

        Check.That(found == count);
        Array.Sort(ids, places);
        return (ids, places);
    }
}
