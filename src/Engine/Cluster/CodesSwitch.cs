using Signpost.Engine.Base;

namespace Signpost.Engine.Cluster;

/// <summary>The moment at which the queries of a collection turn to other codes.</summary>
internal static class CodesSwitch
{
    /// <summary>
    /// Writes the next shard map, whose queries use the codes of <paramref name="codesVersion"/>, unless the present one does so. Every
    /// shard has these codes before; other codes may be dropped when this has ended: a query that still asks for them is told so by the
    /// shard and begins again with this map or a newer one.
    /// </summary>
    /// <returns>The version that the map before it named.</returns>
    public static async ValueTask<uint> WriteMapAsync(IClusterState state, string collection, uint codesVersion, CancellationToken cancel)
    {
        while (true)
        {
            ShardMap? map = await state.ReadAsync(collection, cancel).ConfigureAwait(false);
            Check.That(map is not null);
            if (map.CodesVersion == codesVersion || await state.TryWriteAsync(map.WithCodes(codesVersion), null, cancel).ConfigureAwait(false))
            {
                return map.CodesVersion;
            }
        }
    }
}
