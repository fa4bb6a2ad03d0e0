using Signpost.Engine.Storage;

namespace Signpost.Engine.Cluster;

/// <summary>
/// The part of the leader's decision that keeps collections apart that have had the same name: one that was built anew, and pushed in the place of another.
/// </summary>
/// <remarks>
/// Silos that have the former one open serve it on, by its map; a silo that starts finds the new one in the store, and opens nothing of it as long as
/// the map is of the former. When nobody has the former one open any more, and nobody is awaited who might, the new one gets a map as if there had been none. A silo that
/// comes back later with the former one open is not asked.
/// </remarks>
internal static class Lineages
{
    internal const string Other = "it has a former collection of this name open: restart it";

    /// <summary>What is there, without maps of which nothing is left and without shards of other collections than those of the store.</summary>
    public static MapInput Sort(MapInput input)
    {
        var maps = new Dictionary<string, ShardMap>(input.Maps);
        var served = new HashSet<string>(); // former ones
        foreach (CollectionManifest manifest in input.Manifests)
        {
            if (maps.TryGetValue(manifest.Name, out ShardMap? map) && !LayoutPlan.IsOf(map, manifest))
            {
                _ = IsLeft(map, input) ? served.Add(manifest.Name) : maps.Remove(manifest.Name);
            }
        }

        Dictionary<string, string> wanted = input.Manifests.Where(manifest => !served.Contains(manifest.Name)).ToDictionary(manifest => manifest.Name, manifest => manifest.Lineage);
        return input with { Maps = maps, Members = [.. input.Members.Select(member => Without(member, wanted))] };
    }

    /// <summary>Whether somebody has shards of the collection of <paramref name="map"/> open, or may have.</summary>
    private static bool IsLeft(ShardMap map, MapInput input) =>
        map.Shards.SelectMany(shard => shard.Replicas).Any(replica => input.Awaited.Contains(replica.Silo) || input.Unheard.Contains(replica.Silo))
            || input.Members.Any(member => member.Note.Shards.Any(held => held.Collection == map.Collection && held.CodesVersions.Count > 0)
                && LineageOf(member, map.Collection) is var lineage && (lineage is null || map.Lineage.Length == 0 || lineage == map.Lineage));

    private static string? LineageOf(Member member, string collection) => member.Note.Lineages?.GetValueOrDefault(collection);

    /// <summary>A silo of which the shards of collections of another lineage than <paramref name="wanted"/> are taken for shards that it cannot open.</summary>
    private static Member Without(Member member, Dictionary<string, string> wanted)
    {
        bool IsOther(string collection) => LineageOf(member, collection) is { } lineage && wanted.TryGetValue(collection, out string? right) && lineage != right;
        return member.Note.Lineages?.Keys.Any(IsOther) == true
            ? member with { Note = member.Note with { Shards = [.. member.Note.Shards.Select(held => IsOther(held.Collection) ? held with { CodesVersions = [], Reason = Other } : held)] } }
            : member;
    }
}
