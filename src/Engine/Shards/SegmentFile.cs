using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Graphs;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Shards;

/// <summary>The segment of a shard as a file: taking over what is there, and building it.</summary>
internal static class SegmentFile
{
    /// <summary>Opens the segment of <paramref name="shard"/>; null where its file is missing, not whole, or another one.</summary>
    public static Segment? Find(IDisk disk, string folder, CollectionManifest manifest, ManifestShard shard, SegmentLoad load, Work work)
    {
        string path = Path.Combine(folder, shard.Segment);
        Segment? segment = null;
        try
        {
            segment = Segment.Open(disk, path, load, work).Value;
            if (segment is not null)
            {
                manifest.MustMatch(shard, path, segment.Info);
            }

            return segment;
        }
        catch (BadFileException)
        {
            segment?.Dispose();
            return null;
        }
    }

    /// <summary>Builds the graph of a shard that has a segment of its own, writes the segment, and opens it.</summary>
    /// <param name="disk">Where.</param>
    /// <param name="folder">Folder of the collection.</param>
    /// <param name="manifest">What the collection is.</param>
    /// <param name="shard">The shard.</param>
    /// <param name="vectors">Its vectors, by vertex.</param>
    /// <param name="ids">Their ids.</param>
    /// <param name="graph">How the graph is built.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    public static Segment Make(
        IDisk disk, string folder, CollectionManifest manifest, ManifestShard shard, VectorBlock vectors, ulong[] ids, GraphOptions graph, Work work)
    {
        Write();
        Segment? written = Find(disk, folder, manifest, shard, new SegmentLoad { VerifyVectors = false }, work.Silent());
        Check.That(written is not null);
        return written;

        void Write()
        {
            using Graph built = GraphBuilder.Build(vectors, manifest.Metric, graph, work);
            var content = new SegmentContent
            {
                Vectors = vectors,
                Ids = ids,
                Metric = manifest.Metric,
                Graph = built,
                SlotFrom = shard.SlotFrom,
                SlotTo = shard.SlotTo,
                Build = manifest.Build,
            };
            SegmentWriter.Write(disk, Path.Combine(folder, shard.Segment), content, work);
        }
    }
}
