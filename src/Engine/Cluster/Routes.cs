namespace Signpost.Engine.Cluster;

/// <summary>
/// A shard map with its silos as places in a table, so that a query chooses among numbers and compares no names. What was seen of the
/// silos goes on from one map to the next. Immutable.
/// </summary>
internal sealed class Routes
{
    /// <summary>Replicas of a shard that are looked at; any others are never asked.</summary>
    public const int MostReplicas = 64;

    private readonly int[][] _replicas;

    /// <summary>The routes of <paramref name="map"/> as seen from silo <paramref name="here"/>.</summary>
    /// <param name="map">The map.</param>
    /// <param name="here">Name of the local silo; null where there is none.</param>
    /// <param name="before">Of the map before; null for the first.</param>
    public Routes(ShardMap map, string? here, Routes? before)
    {
        Map = map;
        var places = new Dictionary<SiloId, int>();
        var silos = new List<SiloLoad>();
        _replicas = [.. map.Shards.Select(shard => shard.Serving.Select(replica => PlaceOf(replica.Silo)).Distinct().Take(MostReplicas).ToArray())];
        Silos = [.. silos];
        Here = silos.FindLastIndex(silo => silo.Id.Name == here);

        int PlaceOf(SiloId silo)
        {
            if (!places.TryGetValue(silo, out int place))
            {
                place = silos.Count;
                places.Add(silo, place);
                silos.Add(before?.Silos.FirstOrDefault(known => known.Id == silo) ?? new SiloLoad(silo));
            }

            return place;
        }
    }

    /// <summary>The map.</summary>
    public ShardMap Map { get; }

    /// <summary>The silos that serve any shard.</summary>
    public SiloLoad[] Silos { get; }

    /// <summary>Place of the local silo; -1 where it serves nothing.</summary>
    public int Here { get; }

    /// <summary>Places of the silos that serve the shard which is at <paramref name="shard"/> in the map.</summary>
    public ReadOnlySpan<int> ReplicasOf(int shard) => _replicas[shard];
}
