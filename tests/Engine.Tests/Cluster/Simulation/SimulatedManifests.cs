using Signpost.Engine.Quantizers;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster.Simulation;

/// <summary>Manifests without files: what builds, trainings and changes of shards leave in a store.</summary>
internal static class SimulatedManifests
{
    public static CollectionManifest Built(string name, int shards) => new(
        name, 8, ElementType.Float32, Metric.L2, 32, 100L * shards, new ManifestQuantizer("q", new CodesInfo(QuantizerKind.Pq, 4, 16, 1)),
        [.. Slots.Split(shards).Select((range, i) => new ManifestShard(i, range.From, range.To, $"s{i}", 100, $"c{i}"))], new BuildInfo(1, 50, 100, "0.1.0"));

    public static CollectionManifest Trained(CollectionManifest manifest)
    {
        CodesInfo info = manifest.Quantizer!.Info;
        return manifest with { Quantizer = manifest.Quantizer with { Info = info with { Version = info.Version + 1 } } };
    }

    public static CollectionManifest Changed(CollectionManifest manifest, LayoutChange change)
    {
        int number = manifest.AllShards.Max(s => s.Id) + 1;
        long left = change.Replaced.Sum(s => s.Count);
        var added = new List<ManifestShard>();
        foreach (SlotRange range in change.Ranges)
        {
            ManifestShard[] sources = [.. change.Replaced.Where(s => s.SlotFrom < range.To && range.From < s.SlotTo)];
            long count = sources.FirstOrDefault(s => s.SlotFrom == range.From && s.SlotTo == range.To)?.Count
                ?? (range == change.Ranges[^1] ? left : left / change.Ranges.Count);
            bool isPart = !change.OwnSegments && sources.All(s => s.Segment == sources[0].Segment);
            SegmentExtent stored = sources[0].Stored;
            bool isWhole = isPart && stored.SlotFrom == range.From && stored.SlotTo == range.To;
            added.Add(isPart
                ? new ManifestShard(number, range.From, range.To, sources[0].Segment, isWhole ? stored.Count : count, sources[0].Codes, isWhole ? null : stored)
                : new ManifestShard(number, range.From, range.To, $"s{number}", count, $"c{number}"));
            number++;
            left -= count;
        }

        CollectionManifest next = manifest with
        {
            Shards = [.. manifest.Shards.Except(change.Replaced).Concat(added).OrderBy(s => s.SlotFrom)],
            Layout = new ManifestLayout(manifest.Lineage, (manifest.Layout?.Changes ?? 0) + 1, [.. manifest.Replaced, .. change.Replaced]),
        };
        next = next with { Count = next.Shards.Sum(s => s.Count) };
        Assert.Null(next.Validate());
        return next;
    }

    public static CollectionManifest Forgotten(CollectionManifest manifest) =>
        manifest.Layout is null ? manifest : manifest with { Layout = manifest.Layout with { Replaced = [] } };
}
